"""The files of collector-config, read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

__all__ = [
    "FOLDER", "TIERS", "Variable", "combinations", "header", "loaded", "mandatory", "variables"
]  # fmt: skip

FOLDER = Path(__file__).parents[2] / "collector-config"
TIERS = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "compose")
"""Of the collector: the agent, the gateway, their overlays."""
_VARIABLE = re.compile(r"\$\{env:((?:OTEL_STREAM|JAEGER)_\w+)(?::-((?:[^{}]|\{[^{}]*\})*))?\}")


class Variable(NamedTuple):
    """One that a file reads. `default` is None where it must be set."""

    name: str
    default: str | None
    file: str


def loaded(name: str) -> dict[str, Any]:
    """A file's content; anchors and merges are resolved."""
    found = yaml.safe_load((FOLDER / name).read_text())
    assert isinstance(found, dict)
    return found


def header(path: Path) -> str:
    """The comment at the beginning of a file."""
    found = re.match(r"(?:#.*\n)*", path.read_text())
    return "\n".join(line[1:].removeprefix(" ") for line in found[0].splitlines()) if found else ""


def variables() -> set[Variable]:
    """All that are read, where and with which default."""
    paths = [FOLDER / f"{tier}.yaml" for tier in TIERS] + [FOLDER / "jaeger" / "jaeger.yaml"]
    return {
        Variable(name, _default(name, default), path.stem)
        for path in paths
        for name, default in _VARIABLE.findall(_with_marks(path.read_text()))
    }


def mandatory(tier: str) -> set[str]:
    """What a file cannot do without."""
    return {each.name for each in variables() if each.file == tier and each.default is None}


def combinations() -> list[tuple[str, ...]]:
    """The lists of files that are named together in any header, or in the page about them."""
    texts = [header(FOLDER / f"{tier}.yaml") for tier in TIERS]
    texts.append((FOLDER / "README.md").read_text())
    commands = [
        re.findall(r"--config ([\w-]+\.yaml)", line)
        for text in texts
        for line in text.splitlines()
        if "otel-stream-collector" in line
    ]
    return sorted({tuple(files) for files in commands if files})


def _with_marks(text: str) -> str:
    """The text, with a mark in the place of a default that is not there."""
    return re.sub(r"(\$\{env:\w+)\}", r"\1:-\0}", text)


def _default(name: str, default: str) -> str | None:
    return None if default == "\0" or f"{name} is not set" in default else default
