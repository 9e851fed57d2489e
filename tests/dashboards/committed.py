"""The dashboards and rules as they are committed: read from their files, not from their code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "collector-config"
BOARDS = sorted((CONFIG / "grafana" / "dashboards").glob("*.json"))
RULES = sorted((CONFIG / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((CONFIG / "prometheus" / "tests").glob("*.yml"))

# Words of PromQL and of templates that look like names.
_WORDS = {
    "and", "or", "unless", "on", "by", "without", "sum", "max", "min", "count", "rate", "scalar",
    "offset", "vector", "bool", "ignoring", "group_left", "histogram_quantile", "label_replace",
    "sum_over_time", "avg_over_time", "max_over_time", "count_over_time", "present_over_time",
    "predict_linear", "clamp_max", "label_values",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One query of a panel.

    Args:
        board: The name of its dashboard's file.
        panel: Its panel.
        query: The target as Grafana has it.
    """

    board: str
    panel: dict[str, Any]
    query: dict[str, Any]

    @property
    def source(self) -> str:
        """The kind of its data source."""
        return str(self.query["datasource"]["type"])

    @property
    def text(self) -> str:
        """What it asks."""
        return str(self.query.get("expr") or self.query.get("query") or "")

    def __str__(self) -> str:
        return f"{self.board}/{self.panel['title']}/{self.query['refId']}"


def board_of(path: Path) -> dict[str, Any]:
    """One dashboard."""
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def panels_of(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels of a dashboard but rows, those in folded rows too."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels") or ()
        else:
            yield panel


def targets(source: str) -> list[Target]:
    """The queries of all dashboards for one kind of data source."""
    every = [
        Target(path.stem, panel, query)
        for path in BOARDS
        for panel in panels_of(board_of(path))
        for query in panel.get("targets", ())
    ]
    return [target for target in every if target.source == source]


def variables(source: str) -> list[tuple[str, str, str]]:
    """The queries that fill variables: dashboard, variable, query."""
    found = []
    for path in BOARDS:
        for variable in board_of(path)["templating"]["list"]:
            if variable["type"] == "query" and variable["datasource"]["type"] == source:
                query = variable["query"]
                text = query if isinstance(query, str) else query["query"]
                found.append((path.stem, variable["name"], text))
    return found


def rules() -> list[dict[str, Any]]:
    """All rules and alerts."""
    files = [yaml.safe_load(path.read_text()) for path in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def runbook_queries() -> dict[str, str]:
    """The query that each runbook gives people to look with, by the name of its alert."""
    sections = (ROOT / "docs" / "runbooks.md").read_text().split("\n## ")[1:]
    blocks = [
        re.findall(r"^```promql\n(.*?)^```", each, re.DOTALL | re.MULTILINE) for each in sections
    ]
    names = [section.partition("\n")[0] for section in sections]
    return {name: block[0] for name, block in zip(names, blocks, strict=True) if block}


def names_in(promql: str) -> set[str]:
    """The names of metrics and labels in a query."""
    bare = re.sub(r'"[^"]*"', "", promql)
    bare = re.sub(r"\[[^\]]*\]|\$\w+|\boffset \S+|\b[\d.]+[a-z]?\b", " ", bare)
    return set(re.findall(r"[a-zA-Z_][\w:]*", bare)) - _WORDS
