"""Which text of a stream's items is for the person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from otel_stream.channel.reading import Reading
from otel_stream.raw import Fields


@dataclass
class Event:
    event: Any
    run_id: str | None = "a"
    content: Any = None
    parent_run_id: str | None = None


class Name(StrEnum):
    CONTENT = "RunContent"


def read(*items: Any) -> tuple[list[str], str | None]:
    """The texts of a stream's items, and how its run failed."""
    reading = Reading()
    return [text for item in items if (text := reading(item))], reading.failed


def test_texts() -> None:
    """Texts are texts."""
    assert read("a", "", None, "b") == (["a", "b"], None)


@pytest.mark.parametrize("name", ["RunContent", "RunResponseContent", Name.CONTENT])
def test_an_agent(name: Any) -> None:
    """The content of its run is text, the whole text at its end is not text again."""
    found = read(
        Event("RunStarted"),
        Event(name, content=""),
        Event(name, content="Hel"),
        Event("ToolCallCompleted", content="get_weather() completed"),
        Event("SomethingNew", content="?"),
        Event(name, content="lo"),
        Event("RunCompleted", content="Hello"),
    )

    assert found == (["Hel", "lo"], None)


@pytest.mark.parametrize("content", ["TeamRunContent", "TeamRunResponseContent"])
def test_a_team(content: str) -> None:
    """Members write for the team: only its own text is for the person."""
    member = content.removeprefix("Team")
    found = read(
        Event("TeamRunStarted", "team"),
        Event("RunStarted", "member"),
        Event(member, "member", "secret"),
        Event("RunCompleted", "member", "secret"),
        Event(content, "team", "Answer"),
        Event("TeamRunCompleted", "team", "Answer"),
    )

    assert found == (["Answer"], None)


def test_a_team_that_passes_an_answer_on() -> None:
    """Where the team wrote nothing itself, the text of its end is taken, once."""
    found = read(
        Event("TeamRunStarted", "team"),
        Event("RunContent", "member", "Answer"),
        Event("TeamRunCompleted", "team", "Answer"),
    )

    assert found == (["Answer"], None)


def test_the_wire() -> None:
    """The JSON of a run's events is read as they are."""
    found = read(
        Fields(event="RunStarted", run_id="r"),
        {"event": "RunContent", "run_id": "r", "content": "a"},
    )

    assert found == (["a"], None)


def test_failures() -> None:
    """A run that fails or is cancelled says so, also without a run id; a member's is not its."""
    started = Event("TeamRunStarted", "team")

    assert read(started, Event("RunError", None, "boom")) == ([], "boom")
    assert read(started, Event("TeamRunCancelled", "team")) == ([], "cancelled")
    assert read(started, Event("RunError", "member", "boom")) == ([], None)


def test_a_team_that_announces_nothing() -> None:
    """Members are known by whose they are; a team that speaks later takes over."""
    told = Event("RunContent", "member", "secret")
    told.parent_run_id = "team"

    assert read(told, Event("TeamRunContent", "team", "Answer")) == (["Answer"], None)
    assert read(Event("RunContent", "m", "Member. "), Event("TeamRunContent", "t", "Answer")) == (
        ["Member. ", "Answer"],
        None,
    )


def test_content_that_is_no_text() -> None:
    """Structured output is sent as on the wire."""
    assert read(Event("RunContent", content={"a": 1})) == (['{"a":1}'], None)


def test_unknown_items() -> None:
    """What nobody can read is not silently lost."""
    with pytest.raises(TypeError, match="read="):
        read(5)
