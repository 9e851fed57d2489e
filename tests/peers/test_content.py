"""What was said, put together: reasoning, tool calls, refusals, whatever the provider's habits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from otel_stream import errors
from otel_stream.testing import MISSING, Captured, ChatStream, ToolCall, chat_reasoning, chat_text

from .apis import CHAT, MESSAGES, RESPONSES, Api, every_api

Clients = Callable[..., Any]
content = pytest.mark.otel_stream(capture_content=True)
CITY = {"city": "Recife"}
HALF = ('{"city":', ' "Re')


def parts_of(captured: Captured) -> list[dict[str, Any]]:
    [span] = captured.wait_for_spans()
    [message] = json.loads(span.attributes["gen_ai.output.messages"])
    parts: list[dict[str, Any]] = message["parts"]
    return parts


def calls_of(captured: Captured) -> list[tuple[str, Any]]:
    return [(p["name"], p["arguments"]) for p in parts_of(captured) if p["type"] == "tool_call"]


@content
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept(field: str, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [12]: reasoning is reassembled, in the output message, whatever its field is called."""
    serve(chat_reasoning(["Let me", " think"], ["Hi"], field))
    list(CHAT.create(client_for(CHAT)))

    assert parts_of(captured) == [
        {"type": "reasoning", "content": "Let me think"},
        {"type": "text", "content": "Hi"},
    ]


@content
@pytest.mark.parametrize("index", [None, MISSING], ids=["null", "missing"])
def test_tool_call_without_index(
    index: Any, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [13], B18, C1: a tool call whose index is null or missing is read and kept."""
    events = ChatStream().role().tools([ToolCall(index=index)]).finish("tool_calls").done()
    serve(events)
    chunks = list(CHAT.create(client_for(CHAT)))

    assert len(chunks) == len(events) - 1
    assert calls_of(captured) == [("get_weather", CITY)]


@content
@pytest.mark.parametrize("index", [0, None, MISSING], ids=["index", "null", "missing"])
def test_two_tool_calls(index: Any, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [13]: two calls that share an index, or have none, are told apart by their ids."""
    calls = [ToolCall("a", index=index, id="1"), ToolCall("b", index=index, id="2")]
    serve(ChatStream().role().tools(calls).finish("tool_calls").done())
    list(CHAT.create(client_for(CHAT)))

    assert calls_of(captured) == [("a", CITY), ("b", CITY)]


@content
def test_late_name(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [13]: a name that comes in a later delta is the call's name."""
    serve(ChatStream().role().tools([ToolCall(late_name=True)]).finish("tool_calls").done())
    list(CHAT.create(client_for(CHAT)))

    assert calls_of(captured) == [("get_weather", CITY)]


@content
def test_cut_arguments(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [14]: arguments that were cut stay the fragment that came, flagged as partial."""
    serve(ChatStream().role().tools([ToolCall(arguments=HALF)]).finish("length").done())
    list(CHAT.create(client_for(CHAT)))

    assert calls_of(captured) == [("get_weather", '{"city": "Re')]
    assert captured.span().attributes["otel_stream.partial"] is True


@content
@pytest.mark.parametrize("api", [RESPONSES, MESSAGES], ids=lambda api: api.name)
def test_no_choices_needed(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B21: nothing stumbles over an API whose events have no `choices`."""
    serve(api.whole)
    list(api.create(client_for(api)))

    assert parts_of(captured) == [{"type": "text", "content": "Hello world"}]


@content
def test_choices_null(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B21: `choices: null` and a null delta are nothing, not an exception."""
    events = ChatStream().event({"id": "c", "choices": None, "model": "m"})
    events.event({"id": "c", "choices": [{"index": 0, "delta": None}], "model": "m"})
    serve([*events, *chat_text(["Hi"])])

    assert len(list(CHAT.create(client_for(CHAT)))) == len(chat_text(["Hi"])) + 1
    assert parts_of(captured) == [{"type": "text", "content": "Hi"}]


@every_api
def test_content_is_off_by_default(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers row 42 and [39]: without being asked, no word of question or answer is recorded."""
    serve(api.whole)
    list(api.create(client_for(api)))
    span = captured.span()
    everything = json.dumps([dict(span.attributes), captured.events()], default=str)

    assert "Hello" not in everything
    assert "Hi" not in everything


@pytest.mark.otel_stream(capture_content=True, redact=lambda text: text.replace("Hello", "***"))
@every_api
def test_redaction(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [39], row 43: a redaction hook sees the whole text, not pieces, before it leaves."""
    serve([event for event in api.whole])
    list(api.create(client_for(api)))

    assert parts_of(captured) == [{"type": "text", "content": "*** world"}]


@pytest.mark.otel_stream(capture_content=True, redact=lambda text: 1 / 0)
def test_redaction_that_fails(
    serve: Any, client_for: Clients, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """peers row 34, C1: a hook that raises costs the content, neither the chunks nor the span."""
    monkeypatch.setattr(errors, "strict", False)
    serve(CHAT.whole)
    chunks = list(CHAT.create(client_for(CHAT)))

    assert len(chunks) == len(CHAT.whole) - 1
    assert captured.span().attributes["otel_stream.outcome"] == "completed"
    assert "gen_ai.output.messages" not in captured.span().attributes
