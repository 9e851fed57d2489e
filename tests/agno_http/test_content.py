"""Content that is no text, and names and ids of any kind."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from otel_stream.delta import Reasoning, Terminal, ToolCall
from otel_stream.raw import Fields
from otel_stream.testing import Captured
from otel_stream_agno.events import RunReader
from otel_stream_agno.outputs import deltas_of
from otel_stream_agno.runs import Run

from .streams import agent

pytestmark = pytest.mark.sdk_matrix


class Word(StrEnum):
    """Names as a library may have them."""

    CONTENT = "RunContent"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"city": "Rio", "warm": True}, '{"city":"Rio","warm":true}'),
        ([1, 2], "[1,2]"),
        ({1: "\ud83d"}, '{"1":"\\ud83d"}'),
        (7, "7"),
        ("", ""),
        (None, None),
    ],
)
def test_structured_content(content: Any, text: str | None) -> None:
    """A typed answer counts as the text that it is on the wire."""
    assert RunReader().read(Fields(agent.event("RunContent", content=content))) == text


def test_a_name_that_is_a_word_of_an_enumeration() -> None:
    """An event's name may be a member of an enumeration, with the text as its value."""
    assert RunReader().read(SimpleNamespace(event=Word.CONTENT, run_id="r", content="a")) == "a"


@pytest.mark.parametrize("event", [None, 7, "text", {}, SimpleNamespace(event=None), object()])
def test_what_is_no_event_adds_nothing(event: Any) -> None:
    """Whatever stands between events is a chunk that adds nothing."""
    assert RunReader().read(event) is None


def test_a_whole_output() -> None:
    """An output in one piece has its reasoning, its tools, its text and its end."""
    tool = {"tool_call_id": "c", "tool_name": "search", "tool_args": {"q": 1}}
    output = {"content": "a", "reasoning_content": "hm", "tools": [tool], "status": "CANCELLED"}

    assert deltas_of(output) == [
        Reasoning("hm"),
        ToolCall("c", "search", "c", '{"q":1}'),
        "a",
        Terminal(last=True, cancelled=True),
    ]


def test_a_number_in_a_sessions_id(run: Callable[..., Run], captured: Captured) -> None:
    """A session that is named after a phone number is told by a hash of it."""
    run([{**event, "session_id": "whatsapp_5511999990000"} for event in agent.whole("a")])
    session = str((captured.span().attributes or {})["gen_ai.conversation.id"])

    assert session.startswith("whatsapp_") and "5511" not in session
