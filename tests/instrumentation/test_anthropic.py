"""What Anthropic streams: thinking, tools of both sides, citations, cumulative usage, its ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import anthropic
import pytest

from otel_stream.testing import (
    Captured,
    MessageStream,
    anthropic_error,
    citation,
    message,
    message_text,
    message_thinking,
    message_tools,
    message_usage,
)

from .conftest import MESSAGE, Attributes, Client, Parts, Serve

pytestmark = [pytest.mark.sdk_matrix, pytest.mark.otel_stream(capture_content="span")]

KEPT = {"type": "text", "content": "Hello you"}


@pytest.fixture
def ask(serve: Serve, client: Client) -> Any:
    """Reads a streamed message of these events."""

    def read(events: Iterable[bytes]) -> list[Any]:
        serve(events)
        return list(client("anthropic").messages.create(**MESSAGE, stream=True))

    return read


def test_figures(ask: Any, attributes: Attributes, parts: Parts) -> None:
    """Chunks (pings aside), characters, reason and outcome of a plain answer are exact."""
    chunks = ask(message_text(["Hello", " you"]))
    found = attributes()

    assert parts() == [KEPT]
    assert found["otel_stream.chunk.count"] == len(chunks) == 7
    assert found["otel_stream.content.size"] == len("Hello you")
    assert found["otel_stream.outcome"] == "completed"
    assert found["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert found["gen_ai.response.id"] == "msg_testing1"


def test_cumulative_usage(ask: Any, attributes: Attributes) -> None:
    """The last count of output tokens stands: they are cumulative, and not added up."""
    stream = MessageStream().start(message_usage(9, 3)).text(["Hi"])
    ask(stream.delta(usage={"output_tokens": 12}).stop())
    found = attributes()

    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (9, 12)
    assert found["otel_stream.usage.source"] == "provider"


def test_cache_tokens(ask: Any, attributes: Attributes) -> None:
    """Input tokens count those read from and written to the cache."""
    ask(message_text(["Hi"], usage=message_usage(3, 1, cache_read=100, cache_creation=50)))
    found = attributes()

    assert found["gen_ai.usage.input_tokens"] == 153
    assert found["gen_ai.usage.cache_read.input_tokens"] == 100
    assert found["gen_ai.usage.cache_creation.input_tokens"] == 50


def test_input_counted_anew(ask: Any, attributes: Attributes) -> None:
    """After a search of the provider's own the input is counted anew."""
    stream = MessageStream().start(message_usage(9, 1)).web_search().text(["Rain"])
    ask(stream.delta(usage={"input_tokens": 2000, "output_tokens": 7}).stop())

    assert attributes()["gen_ai.usage.input_tokens"] == 2000


def test_seed_is_partial(ask: Any, attributes: Attributes) -> None:
    """Counts of a message that broke off are those of its start, and marked as partial."""
    ask(MessageStream().start(message_usage(9, 3)).text(["Hi"]))
    found = attributes()

    assert (found["gen_ai.usage.output_tokens"], found["otel_stream.usage.source"]) == (
        3,
        "partial",
    )


def test_thinking(ask: Any, attributes: Attributes, parts: Parts) -> None:
    """Thinking is told apart from text, and comes first."""
    ask(message_thinking(["Let me", " think"], ["Hello", " you"]))
    found = attributes()

    assert parts() == [{"type": "reasoning", "content": "Let me think"}, KEPT]
    assert found["otel_stream.content.size"] == len("Hello you")
    assert found["otel_stream.time_to_first_reasoning"] < found["otel_stream.time_to_first_text"]


def test_redacted_thinking(ask: Any, captured: Captured, parts: Parts) -> None:
    """Thinking that nobody can read leaves no trace but that it was there."""
    ask(
        MessageStream().start().redacted_thinking("c2VjcmV0").text(["Hello", " you"]).delta().stop()
    )

    assert parts() == [KEPT]
    assert "c2VjcmV0" not in captured.span().to_json()


def test_citations(ask: Any, parts: Parts) -> None:
    """Citations are no text of the answer's."""
    ask(MessageStream().start().text(["Hello", " you"], [citation()]).delta().stop())

    assert parts() == [KEPT]


def test_tool_calls(ask: Any, captured: Captured, parts: Parts) -> None:
    """Each tool call has its name, id and arguments, and an event."""
    ask(message_tools(["get_weather", "get_time"]))
    events = [found for name, found in captured.events() if name == "otel_stream.tool_call"]

    assert [(part["id"], part["name"]) for part in parts()] == [
        ("toolu_1", "get_weather"),
        ("toolu_2", "get_time"),
    ]
    assert [part["arguments"] for part in parts()] == [{"city": "Recife"}] * 2
    assert [event["gen_ai.tool.name"] for event in events] == ["get_weather", "get_time"]


def test_server_tools(ask: Any, parts: Parts) -> None:
    """A search of the provider's own is kept as a tool of the server's, with its answer."""
    ask(MessageStream().start().web_search().text(["Rain"]).delta().stop())

    assert [part["type"] for part in parts()] == [
        "server_tool_call",
        "server_tool_call_response",
        "text",
    ]


@pytest.mark.parametrize(
    ("reason", "partial"),
    [
        ("end_turn", False),
        ("pause_turn", False),
        ("stop_sequence", False),
        ("tool_use", False),
        ("max_tokens", True),
        ("refusal", True),
    ],
)
def test_stop_reasons(reason: str, partial: bool, ask: Any, attributes: Attributes) -> None:
    """Every stop reason ends a whole message; some say that the provider stopped it short."""
    ask(message_text(["Hi"], reason))
    found = attributes()

    assert found["gen_ai.response.finish_reasons"] == (reason,)
    assert (found["otel_stream.outcome"], found["otel_stream.partial"]) == ("completed", partial)


def test_error_event(ask: Any, attributes: Attributes) -> None:
    """An error in the middle has the provider's code, and keeps what had come."""
    with pytest.raises(anthropic.APIStatusError):
        ask(MessageStream().start().text(["Hello"], stop=False).error("overloaded_error"))
    found = attributes()

    assert (found["otel_stream.outcome"], found["error.type"]) == ("error", "overloaded_error")
    assert "Hello" in found["gen_ai.output.messages"]


def test_stop_that_never_comes(ask: Any, attributes: Attributes) -> None:
    """Without `message_stop` a message is cut off, though its stop reason was sent."""
    ask(MessageStream().start().text(["Hi"]).delta("end_turn"))

    assert attributes()["otel_stream.outcome"] == "truncated"


def test_tool_runner(serve: Serve, client: Client, captured: Captured) -> None:
    """Each turn of a tool runner is a span of its own."""
    tool = getattr(anthropic, "beta_tool", None)
    if tool is None:
        pytest.skip("this SDK has no tool runner")

    @tool
    def get_weather(city: str) -> str:
        """Weather.

        Args:
            city: Where.
        """
        return f"Rain in {city}"

    serve(message_tools(["get_weather"]))
    serve(message_text(["It rains."]))
    runner = client("anthropic").beta.messages.tool_runner(
        **MESSAGE, tools=[get_weather], stream=True
    )
    for turn in runner:
        list(turn)

    reasons = [(s.attributes or {})["gen_ai.response.finish_reasons"] for s in captured.spans()]
    assert reasons == [("tool_use",), ("end_turn",)]
    assert "Rain in Recife" in json.dumps(dict(captured.spans()[1].attributes or {}))


def test_counting_tokens_is_left_alone(serve: Serve, client: Client, captured: Captured) -> None:
    """Counting tokens is no generation, and gets no span."""
    serve({"input_tokens": 5})
    arguments = {name: value for name, value in MESSAGE.items() if name != "max_tokens"}
    client("anthropic").beta.messages.count_tokens(**arguments)

    assert captured.spans() == []


def test_whole_message(serve: Serve, client: Client, parts: Parts) -> None:
    """A message that is not streamed has its parts in their order."""
    tool = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Recife"}}
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}
    text = {"type": "text", "text": "Hello you"}
    serve(message(content=[thought, text, tool], stop_reason="tool_use"))
    client("anthropic").messages.create(**MESSAGE)

    assert [part["type"] for part in parts()] == ["reasoning", "text", "tool_call"]
    assert parts()[2]["arguments"] == {"city": "Recife"}


def test_request_id_of_an_error(serve: Serve, client: Client, attributes: Attributes) -> None:
    """The request id of an error is the one that the SDK's exception has."""
    serve(anthropic_error(), status=400, headers={"request-id": "req_of_error"})
    with pytest.raises(anthropic.BadRequestError):
        client("anthropic").messages.create(**MESSAGE)

    assert attributes()["anthropic.request.id"] == "req_of_error"
