"""What an SDK is too old to know it hands out as plain JSON: a whole event, or a part of one."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from otel_stream.delta import Delta, Reader
from otel_stream.raw import decoded
from otel_stream.sse import SSEParser
from otel_stream.testing import MessageStream, ResponseStream, message_usage
from otel_stream_anthropic.messages import MessageReader
from otel_stream_openai.responses import ResponsesReader

MESSAGES = [
    MessageStream().start().thinking(["Let me"]).text(["Hi"]).delta("end_turn").stop(),
    MessageStream().start().tool_use().delta("tool_use", message_usage(9, 2)).stop(),
    MessageStream().start().web_search().delta("refusal").stop(),
    MessageStream().start().text(["Hi"]).error(),
]
RESPONSES = [
    ResponseStream().created().reasoning(["Let me"]).text(["Hi"]).completed(),
    ResponseStream().created().refusal(["No"]).function_call().incomplete(),
    ResponseStream().created().web_search().failed(),
    ResponseStream().created().text(["Hi"]).error(),
]
STREAMS = [
    pytest.param(MessageReader, events, id=f"message-{i}") for i, events in enumerate(MESSAGES)
]
STREAMS += [
    pytest.param(ResponsesReader, events, id=f"response-{i}") for i, events in enumerate(RESPONSES)
]


def outermost(data: str) -> Any:
    """An event that the SDK knows with parts that it does not know."""
    return SimpleNamespace(**json.loads(data))


def told(reader: Reader, data: list[str], parsed: Any) -> list[str | Delta]:
    """All that a stream's events add."""
    deltas: list[str | Delta] = []
    for one in data:
        found = reader.read(parsed(one))
        deltas += [] if found is None else found if isinstance(found, list) else [found]
    return deltas


@pytest.mark.sdk_matrix
@pytest.mark.parametrize("parsed", [json.loads, outermost], ids=["event", "parts"])
@pytest.mark.parametrize(("reader", "events"), STREAMS)
def test_plain_json(reader: Any, events: Any, parsed: Any) -> None:
    """It reads as the SDK's own models do."""
    parser = SSEParser()
    data = [one.data for chunk in events for one in parser.feed(chunk)]

    assert told(reader(), data, parsed) == told(reader(), data, decoded) != []
