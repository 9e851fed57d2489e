"""Dashboards that Grafana can show: places, numbers, sources, words."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.colours import OUTCOMES
from otel_stream.outcome import Outcome

from .committed import BOARDS, CONFIG, board_of, panels_of, targets

UIDS = {"prometheus", "influxdb", "jaeger", "tempo"}
EVERY = pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """The cells of the grid that a panel takes."""
    at = panel["gridPos"]
    across = range(at["x"], at["x"] + at["w"])
    return set(itertools.product(across, range(at["y"], at["y"] + at["h"])))


@EVERY
def test_numbers_of_panels_are_unique(path: Path) -> None:
    """No two panels of a dashboard have the same id, those in folded rows included."""
    board = board_of(path)
    rows = [panel for panel in board["panels"] if panel["type"] == "row"]
    numbers = [panel["id"] for panel in [*rows, *panels_of(board)]]

    assert sorted(set(numbers)) == sorted(numbers)


@EVERY
def test_panels_do_not_overlap(path: Path) -> None:
    """No cell of the grid is taken twice, and none lies outside its 24 columns."""
    placed = [cells(panel) for panel in board_of(path)["panels"]]

    assert len(set().union(*placed)) == sum(len(each) for each in placed)
    assert max(x for each in placed for x, _ in each) < 24


@EVERY
def test_no_place_in_a_line_is_empty(path: Path) -> None:
    """Panels under a heading fill the width: the grid has no holes."""
    placed = [cells(panel) for panel in board_of(path)["panels"]]
    rows = max(y for each in placed for _, y in each) + 1

    assert len(set().union(*placed)) == 24 * rows


@EVERY
def test_every_panel_says_what_it_shows(path: Path) -> None:
    """Each panel has a title, a description in a sentence, and a unit."""
    mute = [
        panel["title"]
        for panel in panels_of(board_of(path))
        if not panel["title"]
        or not panel.get("description", "").endswith((".", "?"))
        or not panel["fieldConfig"]["defaults"].get("unit")
    ]

    assert mute == []


@EVERY
def test_every_query_has_its_letter_and_a_known_source(path: Path) -> None:
    """Each query has a refId of its own in its panel, and a source that is provisioned."""
    for panel in panels_of(board_of(path)):
        queries = panel.get("targets", [])
        letters = [query["refId"] for query in queries]
        uids = {query["datasource"]["uid"].strip("${}") for query in queries}
        assert len(set(letters)) == len(letters), panel["title"]
        assert uids <= UIDS, panel["title"]


@EVERY
def test_the_frame_is_the_same_everywhere(path: Path) -> None:
    """The browser's time zone, renewed each 30 s, linked with the others, an address that stays."""
    board = board_of(path)
    linked = board["links"][0]

    assert (board["timezone"], board["refresh"]) == ("browser", "30s")
    assert board["uid"] == f"otel-stream-{path.stem}"
    assert (linked["type"], linked["tags"], linked["includeVars"]) == (
        "dashboards", board["tags"], True,
    )  # fmt: skip


@EVERY
def test_grafanas_schema_reads_it_and_writes_the_same(path: Path) -> None:
    """Grafana's schema package knows all that stands in a dashboard: nothing is lost on the way."""
    board = board_of(path)
    read = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))

    assert board == read


@EVERY
def test_every_variable_in_a_query_exists(path: Path) -> None:
    """A query names no variable that the dashboard does not have."""
    board = board_of(path)
    there = {variable["name"] for variable in board["templating"]["list"]}
    named = {
        name
        for target in (*targets("prometheus"), *targets("influxdb"), *targets("jaeger"))
        if target.board == path.stem
        for name in re.findall(r"\$\{?(?!__|tag_|timeFilter)(\w+)", str(target.query))
    }

    assert named - there == set()


@pytest.mark.parametrize("name", ["service", "provider", "model"])
def test_readers_choose_several_or_all(name: str) -> None:
    """Service, provider and model of the overviews can be chosen several at a time, or all."""
    for path in BOARDS:
        if path.stem in ("overview", "models", "overview-influxdb"):
            variables = {each["name"]: each for each in board_of(path)["templating"]["list"]}
            assert (variables[name]["multi"], variables[name]["includeAll"]) == (True, True)


def test_outcomes_have_the_same_colours_everywhere() -> None:
    """Each outcome has a colour, and each panel that shows outcomes has those."""
    overrides = [
        override
        for path in BOARDS
        for panel in panels_of(board_of(path))
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] in OUTCOMES
    ]
    said = {
        (override["matcher"]["options"], override["properties"][0]["value"]["fixedColor"])
        for override in overrides
    }

    assert {outcome.value for outcome in Outcome} == set(OUTCOMES)
    assert said == set(OUTCOMES.items())


def test_the_first_token_panel_asks_for_exemplars_of_the_raw_series() -> None:
    """The query with exemplars names the histograms that have them."""
    asking = [target for target in targets("prometheus") if target.query["exemplar"]]

    assert [str(target) for target in asking] == ["overview/Time to first token/B"]
    assert "otel_stream_time_to_first_token_seconds_bucket" in asking[0].text


def test_the_sources_are_provisioned_with_their_uids() -> None:
    """Provisioned data sources have the uids of the dashboards; exemplars lead to traces."""
    path = CONFIG / "grafana" / "provisioning" / "datasources" / "otel-stream.yml"
    sources = {each["uid"]: each for each in yaml.safe_load(path.read_text())["datasources"]}
    ways = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]

    assert set(sources) == UIDS
    assert [(way["name"], way.get("datasourceUid")) for way in ways] == [
        ("trace_id", "jaeger"),
        ("trace_id", None),
    ]
    assert "/d/otel-stream-stream?var-trace_id=" in ways[1]["url"]
