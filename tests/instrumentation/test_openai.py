"""What OpenAI and the many servers that speak its wire stream, however oddly."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import openai
import pytest

from otel_stream.testing import (
    MISSING,
    Captured,
    ChatStream,
    CompletionStream,
    ResponseStream,
    ToolCall,
    chat_choices,
    chat_reasoning,
    chat_refusal,
    chat_text,
    chat_tools,
    chat_usage,
    response_text,
    response_usage,
)

from .conftest import CHAT, Attributes, Client, Parts, Serve, ours

pytestmark = [pytest.mark.sdk_matrix, pytest.mark.otel_stream(capture_content="span")]

CITY = '{"city":"Recife"}'


@pytest.fixture
def chat(serve: Serve, client: Client) -> Any:
    """Reads a streamed chat answer of these events."""

    def read(events: Iterable[bytes], **arguments: Any) -> list[Any]:
        serve(events)
        return list(client("openai").chat.completions.create(**CHAT, stream=True, **arguments))

    return read


@pytest.fixture
def respond(serve: Serve, client: Client) -> Any:
    """Reads a streamed response of these events."""

    def read(events: Iterable[bytes]) -> list[Any]:
        serve(events)
        create = client("openai").responses.create
        return list(create(model="gpt-5", input="Hi", stream=True))

    return read


def test_figures(chat: Any, attributes: Attributes) -> None:
    """Chunks, characters, usage and outcome of a plain answer are exact."""
    chat(chat_text(["Hello", " you"], usage=chat_usage(9, 2)))
    found = attributes()

    assert found["otel_stream.outcome"] == "completed"
    assert found["otel_stream.partial"] is False
    assert found["otel_stream.chunk.count"] == 5
    assert found["otel_stream.content.size"] == len("Hello you")
    assert found["otel_stream.usage.source"] == "provider"
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (9, 2)


def test_times_are_in_order(chat: Any, attributes: Attributes) -> None:
    """Headers come before the first chunk, and that before the first token."""
    chat(chat_text(["Hello", " you"]))
    found = attributes()
    times = [
        found["otel_stream.time_to_headers"],
        found["gen_ai.response.time_to_first_chunk"],
        found["otel_stream.time_to_first_token"],
        found["otel_stream.time_to_first_text"],
    ]

    assert times == sorted(times)
    assert times[0] > 0


def test_choices(chat: Any, captured: Captured, attributes: Attributes) -> None:
    """With n > 1 each choice has a message and a finish reason of its own, and its text counts."""
    chat(chat_choices([["Yes", "!"], ["No"]], ["stop", "length"]), n=2)
    messages = json.loads(attributes()["gen_ai.output.messages"])

    assert [message["parts"][0]["content"] for message in messages] == ["Yes!", "No"]
    assert attributes()["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert attributes()["otel_stream.content.size"] == len("Yes!No")


def test_choice_without_its_end(chat: Any, attributes: Attributes) -> None:
    """With n > 1, an answer is not whole until each choice has its finish reason."""
    chat(chat_choices([["Yes"], ["No"]], ["stop", None]), n=2)

    assert attributes()["otel_stream.outcome"] == "truncated"


@pytest.mark.parametrize("index", [0, 7, None, MISSING], ids=["zero", "seven", "null", "missing"])
def test_tool_call_with_any_index(index: Any, chat: Any, parts: Parts) -> None:
    """A tool call is put together whatever its index is."""
    chat(chat_tools([ToolCall(index=index)]))

    (call,) = parts()
    assert (call["id"], call["name"], call["arguments"]) == (
        "call_1",
        "get_weather",
        {"city": "Recife"},
    )


@pytest.mark.parametrize("interleaved", [False, True], ids=["in turn", "interleaved"])
def test_parallel_tool_calls(interleaved: bool, chat: Any, parts: Parts) -> None:
    """Parallel tool calls are kept apart."""
    calls = [ToolCall("one", id="1"), ToolCall("two", id="2", index=1)]
    chat(chat_tools(calls, interleaved=interleaved))

    assert [(call["name"], call["id"]) for call in parts()] == [("one", "1"), ("two", "2")]
    assert [call["arguments"] for call in parts()] == [{"city": "Recife"}] * 2


def test_tool_call_named_late(chat: Any, parts: Parts, captured: Captured) -> None:
    """A name that comes after the arguments have begun is still on the call and on its event."""
    chat(chat_tools([ToolCall(late_name=True)]))
    events = dict(captured.events())

    assert parts()[0]["name"] == "get_weather"
    assert events["otel_stream.tool_call"]["gen_ai.tool.name"] == "get_weather"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_fields(field: str, chat: Any, parts: Parts, attributes: Attributes) -> None:
    """Reasoning is told apart from text, by whatever name a provider sends it."""
    chat(chat_reasoning(["Let me", " think"], ["Hi"], field))
    found = attributes()

    assert parts()[0] == {"type": "reasoning", "content": "Let me think"}
    assert found["otel_stream.content.size"] == len("Hi")
    assert found["otel_stream.time_to_first_reasoning"] < found["otel_stream.time_to_first_text"]


def test_reasoning_sent_twice(chat: Any, parts: Parts) -> None:
    """Reasoning that a provider sends in two fields at once counts once."""
    delta = {"reasoning": "hm", "reasoning_content": "hm"}
    chat(ChatStream().role().delta(delta).text(["Hi"]).finish().done())

    assert parts()[0] == {"type": "reasoning", "content": "hm"}


def test_refusal(chat: Any, attributes: Attributes) -> None:
    """A refusal is a first token and no text."""
    chat(chat_refusal(["I will", " not"]))
    found = attributes()

    assert found["otel_stream.time_to_first_token"] > 0
    assert "otel_stream.time_to_first_text" not in found
    assert found["otel_stream.content.size"] == 0


def test_audio_without_its_bytes(chat: Any, captured: Captured, parts: Parts) -> None:
    """What is said is kept, and of the sound no byte."""
    sound = "UklGRg" * 100
    audio = [{"id": "a1", "transcript": "Hello"}, {"data": sound}, {"transcript": " you"}]
    stream = ChatStream().role()
    for piece in audio:
        stream.delta({"audio": piece})
    chat(stream.finish().done())

    assert parts()[0]["content"] == "Hello you"
    assert sound not in str(captured.span().to_json())


USAGES = {
    "last chunk": lambda: ChatStream().text(["Hi"]).finish().usage(chat_usage(9, 5)),
    "on the finish": lambda: ChatStream().text(["Hi"]).finish(usage=chat_usage(9, 5)),
    "x_groq": lambda: ChatStream().text(["Hi"]).x_groq(chat_usage(9, 5)),
}


@pytest.mark.parametrize("place", USAGES)
def test_places_of_usage(place: str, chat: Any, attributes: Attributes) -> None:
    """Usage is found where providers put it."""
    chat(USAGES[place]().done())
    found = attributes()

    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (9, 5)
    assert found["otel_stream.usage.source"] == "provider"


def test_usage_so_far(chat: Any, attributes: Attributes) -> None:
    """Usage that comes with every chunk is cumulative; the last count stands."""
    stream = ChatStream()
    for count, word in enumerate(["Hello", " you"], 1):
        stream.delta({"content": word}, usage=chat_usage(9, count))
    chat(stream.finish(usage=chat_usage(9, 3)).done())

    assert attributes()["gen_ai.usage.output_tokens"] == 3


def test_error_event(chat: Any, attributes: Attributes) -> None:
    """An error in the middle has the provider's code, and keeps what had come."""
    with pytest.raises(openai.APIError):
        chat(ChatStream().role().text(["Hello"]).error(code="overloaded"))
    found = attributes()

    assert (found["otel_stream.outcome"], found["error.type"]) == ("error", "overloaded")
    assert "Hello" in found["gen_ai.output.messages"]


def test_completions_of_two_prompts(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A completion of two prompts is whole when both have ended."""
    stream = CompletionStream().text(["a"]).text(["b"], 1).finish().finish(choice=1).done()
    serve(stream)
    create = client("openai").completions.create
    list(create(model="babbage-002", prompt=["one", "two"], stream=True))

    assert attributes()["otel_stream.outcome"] == "completed"
    assert attributes()["gen_ai.response.finish_reasons"] == ("stop", "stop")


def test_response_text(respond: Any, attributes: Attributes, parts: Parts) -> None:
    """A response's text, usage and status are read off its events."""
    respond(response_text(["Hello", " you"], usage=response_usage(9, 5, reasoning=3)))
    found = attributes()

    assert parts() == [{"type": "text", "content": "Hello you"}]
    assert found["gen_ai.response.finish_reasons"] == ("completed",)
    assert found["gen_ai.usage.reasoning.output_tokens"] == 3


def test_response_reasoning(respond: Any, parts: Parts) -> None:
    """A response's reasoning, summary or full, is told apart from its text."""
    respond(ResponseStream().created().reasoning(["Let me"]).text(["Hi"]).completed())

    assert [part["type"] for part in parts()] == ["reasoning", "text"]


@pytest.mark.parametrize("custom", [False, True], ids=["function", "custom"])
def test_response_tool_call(custom: bool, respond: Any, captured: Captured, parts: Parts) -> None:
    """A tool call of a response has its name, its id, its input and its event."""
    respond(ResponseStream().created().function_call(custom=custom).completed())
    (call,) = parts()

    assert (call["id"], call["name"]) == ("call_1", "get_weather")
    assert "otel_stream.tool_call" in dict(captured.events())


def test_built_in_tool(respond: Any, parts: Parts) -> None:
    """A search that the provider runs is kept as a tool of the server's."""
    respond(ResponseStream().created().web_search().text(["Rain"]).completed())

    assert [part["type"] for part in parts()] == ["server_tool_call", "text"]


def test_failed_and_incomplete(respond: Any, captured: Captured) -> None:
    """A response that failed is an error; one that ran out of tokens is whole, and partial."""
    respond(ResponseStream().created().text(["Hi"]).failed("server_error"))
    respond(ResponseStream().created().text(["Hi"]).incomplete())
    failed, incomplete = (dict(span.attributes or {}) for span in captured.spans())

    assert (failed["otel_stream.outcome"], failed["error.type"]) == ("error", "server_error")
    assert incomplete["otel_stream.outcome"] == "completed"
    assert incomplete["otel_stream.partial"] is True
    assert incomplete["gen_ai.response.finish_reasons"] == ("length",)


def test_responses_error_event(respond: Any, attributes: Attributes) -> None:
    """The error event, which no SDK raises and the oldest hands out wrapped, is an error."""
    respond(ResponseStream().created().text(["Hi"]).error("rate_limit_exceeded"))

    assert attributes()["error.type"] == "rate_limit_exceeded"


def test_other_calls_are_left_alone(serve: Serve, client: Client, captured: Captured) -> None:
    """Embeddings and the retrieval of an answer are no generation, and get no span."""
    vectors = [{"object": "embedding", "index": 0, "embedding": [0.1]}]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    serve({"object": "list", "model": "m", "data": vectors, "usage": usage})
    serve({"object": "list", "data": [], "has_more": False})
    made = client("openai")
    made.embeddings.create(model="m", input="Hi", encoding_format="float")
    made.models.list()

    assert captured.spans() == []
    assert captured.metrics() == {}


@pytest.mark.otel_stream(capture_content="none")
def test_content_is_off_by_default(chat: Any, captured: Captured) -> None:
    """Without being asked to we keep no word of question or answer."""
    chat(chat_text(["secret"]))

    assert "secret" not in captured.span().to_json()
    assert ours(dict(captured.span().attributes or {}))["otel_stream.content.size"] == 6
