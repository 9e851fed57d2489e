"""What runs in the process hand out beside events: outputs, and events in their wire's form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_stream import semconv
from otel_stream.delta import Nested, Response, Skip, Terminal
from otel_stream.raw import Fields
from otel_stream_agno.reader import Reader
from otel_stream_agno.request import info_of

pytestmark = pytest.mark.sdk_matrix


def event(name: str, run_id: str = "r-1", **fields: Any) -> Fields:
    """An event."""
    return Fields({"event": name, "run_id": run_id, **fields})


def wire(name: str, **fields: Any) -> str:
    """The same as a run in the background hands it out."""
    return f"event: {name}\ndata: {json.dumps(event(name, **fields))}\n\n"


def test_a_run_in_the_background_hands_out_its_wire() -> None:
    """From 3.x on such a run's events are server-sent ones, and a comment keeps the line alive."""
    reader = Reader("agent", None)

    assert reader.read(wire("RunContent", content="Hel: data: lo")) == "Hel: data: lo"
    assert reader.read(": keepalive\n\n") == Skip()
    assert reader.read(wire("RunCompleted")) == [Terminal(last=True)]


def test_a_team_in_a_team_is_not_the_outer_one() -> None:
    """Who runs is known here, so the first event of a team within is not taken for its own."""
    reader = Reader("team", None)
    reader.owner = "editors"

    inner = event("TeamRunContent", "r-2", team_id="poets", content="Roses")
    assert reader.read(inner) == Nested("Roses")
    assert reader.read(event("TeamRunContent", team_id="editors", content="Hi")) == "Hi"
    assert reader.read(inner) == Nested("Roses")


@pytest.mark.parametrize(
    ("names", "whole"),
    [([], True), (["RunContent"], True), (["RunStarted"], False), (["RunContinued"], False)],
)
def test_what_tells_its_beginning_tells_its_end(names: list[str], whole: bool) -> None:
    """Without events the end of a generator is a whole answer; with them an end must be told."""
    reader = Reader("agent", None)
    for name in names:
        reader.read(event(name))

    assert reader.whole(False) is whole


def test_who_runs_in_which_session_is_told_of_a_continued_run() -> None:
    """A run that goes on has the ids of the output that it is given."""
    output = Output("r-1", "talk-1")
    found = info_of(Agent(), "agent", (Agent(), output), {}).attributes

    assert (found[semconv.RUN_ID], found[semconv.CONVERSATION_ID]) == ("r-1", "talk-1")


def test_a_fork_is_another_run() -> None:
    """Its id is not known before Agno has made it."""
    found = info_of(Agent(), "agent", (Agent(),), {"run_id": "r-1", "fork": True}).attributes

    assert semconv.RUN_ID not in found


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Hi", [("user", "Hi")]),
        ([{"role": "assistant", "content": "Hm"}], [("assistant", "Hm")]),
        ({"topic": "roses"}, [("user", {"topic": "roses"})]),
        (["a", "b"], [("user", ["a", "b"])]),
        (None, []),
    ],
)
def test_what_is_asked_is_the_input(given: Any, told: list[Any]) -> None:
    """Texts, messages, and data of the program's."""
    info = info_of(Agent(), "agent", (Agent(), given), {})
    assert info.content is not None
    messages = info.content().get(semconv.INPUT_MESSAGES, [])

    assert [(one["role"], one["parts"][0]["content"]) for one in messages] == told


def test_the_output_at_the_end_is_no_content() -> None:
    """`yield_run_output` adds the whole output, whose text has been told."""
    reader = Reader("agent", "r-1")
    output = Fields({"run_id": "r-1", "status": "COMPLETED", "content": "Hello"})

    found = reader.read(output)
    assert isinstance(found, list)
    assert {type(one) for one in found} == {Response, Terminal}


class Agent:
    """As much of one as is read."""

    name = "Poet"
    id = "poet"
    model = None
    stream = None
    session_id = None


class Output:
    """As much of one as is read."""

    status = "PAUSED"

    def __init__(self, run_id: str, session_id: str) -> None:
        self.run_id = run_id
        self.session_id = session_id
