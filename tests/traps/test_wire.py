"""The wire: bytes cut anywhere, events that nobody knows, junk between them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from otel_stream.raw import RawReader
from otel_stream.record.recorder import Recorder
from otel_stream.testing import (
    Captured,
    ChatStream,
    MessageStream,
    ProviderServer,
    ResponseStream,
    Script,
    Send,
    ToolCall,
    chat_text,
    message_text,
    pieces,
)
from tests.sdk_http import http

Chat = Callable[..., Any]
ODD = ["a }{ b", '"}', " 😊", "\u2028", " {"]
SSE = {"content-type": "text/event-stream"}
content = pytest.mark.otel_stream(capture_content=True)


def text_of(captured: Captured) -> str:
    [message] = json.loads(captured.span().attributes["gen_ai.output.messages"])
    return "".join(p["content"] for p in message["parts"])


def replayed(parts: list[bytes]) -> openai.OpenAI:
    """A client whose answers come in these pieces, with no network."""

    class Pieces(http.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(parts)

    def answer(request: Any) -> Any:
        return http.Response(200, headers=SSE, stream=Pieces())

    client = openai.DefaultHttpxClient(transport=http.MockTransport(answer))
    return openai.OpenAI(api_key="test", http_client=client)


def ask(client: openai.OpenAI) -> list[Any]:
    messages: Any = [{"role": "user", "content": "Hi"}]
    return list(client.chat.completions.create(model="m", messages=messages, stream=True))


@content
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
def test_pieces_of_any_size(size: int, captured: Captured) -> None:
    """Trap 9, ideas 1 and 2: braces, quotes and split letters of any alphabet are just text."""
    ask(replayed(pieces(chat_text(ODD), size)))

    assert text_of(captured) == "".join(ODD)
    assert captured.span().attributes["otel_stream.content.size"] == len("".join(ODD))


@content
def test_cut_in_two_at_every_byte(captured: Captured) -> None:
    """Idea 2: the same body in two pieces, cut at every byte, makes identical answers."""
    stream = ChatStream().event({"id": "1", "model": "m", "choices": [choice("} 😊{")]})
    body = b"".join(stream.event({"choices": [choice("", "stop")]}).done())
    told = set()
    for place in range(1, len(body)):
        ask(replayed([body[:place], body[place:]]))
        attributes = captured.span().attributes
        told.add((text_of(captured), attributes["otel_stream.chunk.count"]))
        captured.clear()

    assert told == {("} 😊{", 2)}


def choice(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": text}, "finish_reason": finish}


@content
def test_half_a_letter_at_the_end(captured: Captured) -> None:
    """Traps 9, 11: a body that ends in the middle of a letter is truncated: nothing else failed."""
    body = b"".join(chat_text(ODD))
    with pytest.raises(UnicodeDecodeError):
        ask(replayed([body[: body.index("😊".encode()) + 2]]))
    span = captured.span()

    assert span.attributes["otel_stream.outcome"] == "truncated"
    assert text_of(captured) == 'a }{ b"}'


def test_letters_that_are_none(captured: Captured) -> None:
    """Trap 9: a byte that is no letter, in the middle of an answer, is a fault of the provider."""
    body = b"".join(chat_text(["Hello", " you"])).replace(b" you", b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        ask(replayed([body]))

    assert captured.span().attributes["otel_stream.outcome"] == "error"


@content
def test_unknown_events_of_responses(
    server: ProviderServer, openai_client: openai.OpenAI, captured: Captured
) -> None:
    """Trap 10: an event of an unknown type is a chunk that adds nothing, and no error."""
    events = ResponseStream().created().add("response.telepathy.delta", delta="hm", thought=None)
    server.script(None, Script.stream(events.text(["Hi"]).completed()))
    list(openai_client.responses.create(model="m", input="Hi", stream=True))
    attributes = captured.span().attributes

    assert (attributes["otel_stream.outcome"], text_of(captured)) == ("completed", "Hi")
    assert attributes["otel_stream.chunk.count"] == len(events)


@content
def test_unknown_blocks_of_messages(
    server: ProviderServer, anthropic_client: anthropic.Anthropic, captured: Captured
) -> None:
    """Trap 10: a content block and a delta of unknown types are no errors either."""
    events = MessageStream().start().block({"type": "hologram"}, [{"type": "hologram_delta"}])
    server.script(None, Script.stream(events.text(["Hi"]).delta().stop()))
    messages: Any = [{"role": "user", "content": "Hi"}]
    list(
        anthropic_client.messages.create(
            model="claude-sonnet-5", messages=messages, max_tokens=9, stream=True
        )
    )

    assert captured.span().attributes["otel_stream.outcome"] == "completed"
    assert text_of(captured) == "Hi"


@content
def test_junk_between_events(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Trap 000: a stray brace, a comment, a field that nobody knows: nothing after them is lost."""
    junk = [b": keep-alive\n\n", b"{\n\n", b"zig: zag\n\n", b"\n\n\n"]
    events = [e for pair in zip(chat_text(ODD), itertools.cycle(junk), strict=False) for e in pair]
    server.script(None, Script([Send(b"".join(events))], headers=SSE))

    assert len(list(chat())) == len(chat_text(ODD)) - 1
    assert text_of(captured) == "".join(ODD)


@pytest.mark.timeout(30)
def test_megabytes_without_an_end(make: Callable[..., Recorder]) -> None:
    """Trap 004: a line without an end, in small pieces, is not scanned again for each of them."""
    recorder = make()
    reader = RawReader("text/event-stream", "", lambda _: None)
    for _ in range(200_000):
        reader.feed(recorder, b"data: a word", 0.0)
    reader.feed(recorder, b"\n\n", 0.0)

    assert recorder.chunks == 0  # it is no JSON


@content
def test_same_tool_twice(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Trap 000: two calls of the same tool at once are two, told apart by their ids."""
    calls = [ToolCall(id="1", arguments='{"a":1}'), ToolCall(id="2", index=1, arguments='{"a":2}')]
    events = ChatStream().role().tools(calls, interleaved=True).finish("tool_calls").done()
    server.script(None, Script.stream(events))
    list(chat())
    [message] = json.loads(captured.span().attributes["gen_ai.output.messages"])
    told = [e for name, e in captured.events() if name == "otel_stream.tool_call"]

    assert [(p["id"], p["arguments"]) for p in message["parts"]] == [
        ("1", {"a": 1}),
        ("2", {"a": 2}),
    ]
    assert [e["gen_ai.tool.call.id"] for e in told] == ["1", "2"]


def test_error_as_the_very_last(
    server: ProviderServer, anthropic_client: anthropic.Anthropic, captured: Captured
) -> None:
    """Traps 11, 002: an error as the last event is not lost, and the answer is no success."""
    server.script(None, Script.stream([*message_text(["Hi"])[:-2], *MessageStream().error()]))
    messages: Any = [{"role": "user", "content": "Hi"}]
    with pytest.raises(anthropic.APIStatusError):
        list(
            anthropic_client.messages.create(
                model="claude-sonnet-5", messages=messages, max_tokens=9, stream=True
            )
        )

    assert captured.span().attributes["otel_stream.outcome"] == "error"
    assert captured.span().attributes["error.type"] == "overloaded_error"
