"""Every query of the InfluxDB dashboard, asked of a real InfluxDB 1."""

from __future__ import annotations

import math
import re

import pytest

from ...dashboards.committed import Target, targets, variables
from .answers import Answers

pytestmark = [pytest.mark.slow_stack, pytest.mark.timeout(300)]


@pytest.mark.parametrize("target", targets("influxdb"), ids=str)
def test_a_panels_influxql_returns_what_it_shows(target: Target, answers: Answers) -> None:
    """Each query returns series of one value over time, finite, with the tags of its legend."""
    found = answers.influxdb(target.text)
    tags = set(re.findall(r"\$tag_([\w.]+)", target.query.get("alias", "")))
    values = [row[1] for series in found for row in series["values"] if row[1] is not None]

    assert values
    assert all(math.isfinite(value) for value in values)
    assert all(tags <= set(series.get("tags", {})) for series in found)
    assert {len(series["columns"]) for series in found} == {2}


@pytest.mark.parametrize(
    ("board", "name", "query"), variables("influxdb"), ids=lambda one: str(one)[:40]
)
def test_a_variable_offers_values(board: str, name: str, query: str, answers: Answers) -> None:
    """Each variable has something to choose."""
    values = {row[1] for series in answers.influxdb(query) for row in series["values"]}

    assert values - {""}
    assert name != "service" or {"demo", "traces-only", "latest", "filled"} <= values


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Streams", 24), ("Cost", 0.75), ("Whole", (11 + 3 + 3) / 24)],
)
def test_figures_add_up(title: str, expected: float, answers: Answers) -> None:
    """Streams of the demo (16), of `latest` (5) and of `filled` (3), and their cost, are exact."""
    target = next(one for one in targets("influxdb") if one.panel["title"] == title)
    rows = [row for series in answers.influxdb(target.text) for row in series["values"]]

    assert [pytest.approx(expected)] == [value for _, value in rows]
