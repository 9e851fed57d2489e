"""The files of collector-config: what they say of themselves, and what must agree between them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.collector_config.configuration import FOLDER, TIERS, header, loaded, mandatory

YAML = sorted(
    path for path in FOLDER.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file()
)
PRIVACY = ("transform/content", "transform/names", "redaction")


def named(path: Path) -> str:
    """A file's name in the folder."""
    return path.relative_to(FOLDER).as_posix()


def pipelines(name: str) -> dict[str, dict[str, Any]]:
    """The pipelines of a file."""
    found: dict[str, dict[str, Any]] = loaded(name)["service"]["pipelines"]
    return found


@pytest.mark.parametrize("path", YAML, ids=named)
def test_a_file_says_what_it_is_for(path: Path) -> None:
    """Each file begins with a comment in sentences."""
    said = header(path)

    assert len(said) > 50
    assert re.match(r"[A-Za-z].*[.:]", said, re.DOTALL)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_says_how_it_is_started(tier: str) -> None:
    """A file of the collector shows its own command, and each variable that must be set."""
    said = header(FOLDER / f"{tier}.yaml")

    assert re.search(rf"^    otel-stream-collector .*--config {tier}\.yaml", said, re.MULTILINE)
    assert {name for name in mandatory(tier) if name not in said} == set()


def test_the_page_names_every_file() -> None:
    """README.md has each file and folder that is there."""
    page = (FOLDER / "README.md").read_text().split("## What is here")[1].split("\n## ")[0]
    missing = {
        path.name
        for path in FOLDER.iterdir()
        if f"`{path.name}{'/' if path.is_dir() else ''}`" not in page
    }

    assert missing - {"README.md", ".env"} == set()


def test_secure_adds_to_the_extensions() -> None:
    """A list replaces the one below it: that of secure.yaml has all of agent and gateway."""
    extensions = loaded("secure.yaml")["service"]["extensions"]

    assert extensions == [*loaded("agent.yaml")["service"]["extensions"], "bearertokenauth"]
    assert extensions == [*loaded("gateway.yaml")["service"]["extensions"], "bearertokenauth"]


def test_privacy_adds_to_the_processors() -> None:
    """Without what it adds, each list of privacy.yaml is that of agent.yaml."""
    agent = pipelines("agent.yaml")
    found = {
        name: [each for each in pipeline["processors"] if each not in PRIVACY]
        for name, pipeline in pipelines("privacy.yaml").items()
    }

    assert found == {name: agent[name]["processors"] for name in found}


def test_privacy_leaves_no_way_open() -> None:
    """Each pipeline that takes what services send redacts it first, after the memory limit."""
    privacy = pipelines("privacy.yaml")
    taking = {
        n for n, pipeline in pipelines("agent.yaml").items() if "otlp" in pipeline["receivers"]
    }
    first = {name: privacy[name]["processors"][1] for name in taking}

    assert taking == set(privacy)
    assert set(first.values()) <= set(PRIVACY)
    assert all("redaction" in privacy[name]["processors"] for name in taking)


def test_privacy_is_the_same_at_the_gateway() -> None:
    """What privacy.yaml does at an agent, gateway.yaml does."""
    privacy, gateway = loaded("privacy.yaml")["processors"], loaded("gateway.yaml")["processors"]

    assert set(privacy) == set(PRIVACY)
    assert privacy == {name: gateway[name] for name in PRIVACY}


@pytest.mark.parametrize("overlay", ["to-gateways.yaml", "to-gateways-dns.yaml"])
def test_gateways_take_only_the_traces(overlay: str) -> None:
    """An agent of a fleet sends its traces elsewhere, and keeps all its other pipelines."""
    added = {name for name, pipeline in pipelines(overlay).items() if "receivers" in pipeline}

    assert set(pipelines(overlay)) - added == {"traces"}
    assert set(pipelines(overlay)["traces"]) == {"exporters"}


@pytest.mark.parametrize("tier", ["agent", "gateway"])
def test_every_part_is_used(tier: str) -> None:
    """What is configured stands in a pipeline, or is a choice that a variable names."""
    content = loaded(f"{tier}.yaml")
    used = str(content["service"])
    choices = {"nop", "prometheusremotewrite", "influxdb/v2"}
    parts = {
        part
        for kind in ("receivers", "processors", "connectors", "exporters", "extensions")
        for part in content[kind]
    }

    assert {part for part in parts if not re.search(rf"\b{part}\b", used)} <= choices


@pytest.mark.parametrize("name", ["privacy.yaml", "gateway.yaml"])
def test_names_are_searched_for_what_is_hashed_elsewhere(name: str) -> None:
    """One pattern stands for numbers and keys, in names and in values."""
    processors = loaded(name)["processors"]
    [pattern] = processors["redaction"]["blocked_values"]
    escaped = pattern.replace("\\", "\\\\").replace('"', '\\"')
    statements = [
        each
        for signal in ("trace", "metric", "log")
        for each in processors["transform/names"][f"{signal}_statements"]
    ]

    assert statements
    assert [each for each in statements if f', "{escaped}", ' not in each] == []
