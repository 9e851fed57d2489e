"""The ways of an event into a recorder: as the SDK's object, as bytes, through the whole SDK."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar

import anthropic
import openai
from anthropic.types import Message, RawMessageStreamEvent
from openai._models import construct_type
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

import otel_stream
from otel_stream import runtime
from otel_stream.outcome import Outcome
from otel_stream.raw import RawReader, decoded
from otel_stream.record.recorder import Recorder
from otel_stream.sdk import Endpoint
from otel_stream.stream import TracedIterator
from otel_stream.testing import ToolCall, chat_completion, completion, message, response
from otel_stream.trace import Trace
from otel_stream_anthropic.messages import Messages
from otel_stream_openai.chat import ChatCompletions
from otel_stream_openai.completions import Completions
from otel_stream_openai.responses import Responses
from tests.sdk_http import http

from .checks import Checks
from .corpus import CORPUS, Event
from .mutation import Mutator

__all__ = ["PATHS"]

ENDPOINTS: dict[str, Endpoint] = {
    "chat": ChatCompletions(),
    "completions": Completions(),
    "responses": Responses(),
    "messages": Messages(),
}
TYPES: dict[str, Any] = {
    "chat": ChatCompletionChunk,
    "completions": Completion,
    "responses": ResponseStreamEvent,
    "messages": RawMessageStreamEvent,
}
ANSWERS: dict[str, list[Any]] = {
    "chat": [chat_completion(tools=[ToolCall()], reasoning="Hm"), chat_completion(refusal="No")],
    "completions": [completion()],
    "responses": [response(), response(status="failed", error={"code": "c", "message": "m"})],
    "messages": [message(), message(content=[{"type": "tool_use", "id": "1", "name": "n"}])],
}
ANSWER_TYPES: dict[str, Any] = {
    "chat": ChatCompletion,
    "completions": Completion,
    "responses": Response,
    "messages": Message,
}
REQUEST = http.Request("POST", "http://127.0.0.1/")
HI = [{"role": "user", "content": "Hi"}]
CLIENT = openai.OpenAI(api_key="k")


def trace_of(api: str, mutator: Mutator) -> Trace:
    """A trace for a call whose request is odd too."""
    body = {"model": "m", "messages": HI, "n": mutator.random.randint(1, 3), "stream": True}
    for _ in range(mutator.random.randint(0, 2)):
        body[mutator.random.choice(list(body))] = mutator.odd()
    endpoint = ENDPOINTS[api]
    return Trace(runtime.current(), endpoint.info(CLIENT, body, True), endpoint.reader(body))


def error_of(mutator: Mutator) -> BaseException:
    """What a provider, the network or an interruption may raise."""
    odd, text = mutator.odd(), str(mutator.odd())
    response = http.Response(200, request=REQUEST)
    return mutator.random.choice(
        [
            openai.APIError(text, REQUEST, body=odd),
            openai.APIConnectionError(message=text, request=REQUEST),
            anthropic.APIStatusError(text, response=response, body=odd),
            http.ReadError(text),
            ValueError(odd),
            KeyboardInterrupt(),
            GeneratorExit(),
        ]
    )


def end(recorder: Recorder, mutator: Mutator) -> None:
    """One of the ends that come from outside."""
    recorder_ends: list[Callable[[], None]] = [
        lambda: recorder.leave(Outcome.CLOSED_EARLY),
        recorder.close,
        lambda: recorder.drop(Outcome.ABANDONED),
        lambda: recorder.check(recorder.clock() + 100),
        lambda: None,
    ]
    mutator.random.choice(recorder_ends)()
    recorder.drop(Outcome.ABANDONED)


def objects(api: str, mutator: Mutator, checks: Checks) -> int:
    """Objects as the SDK makes them, through the loop that stands in the SDK's stream."""
    random = mutator.random
    values = [mutator.value(event) for event in mutator.stream(api)]
    # Making them twice, to compare, takes as long as all the rest.
    compared = copy.deepcopy(values) if random.random() < 0.1 else []
    before = [construct_type(value=v, type_=TYPES[api]) for v in compared]
    chunks = [construct_type(value=v, type_=TYPES[api]) for v in values]
    error = error_of(mutator) if random.random() < 0.3 else None

    def source() -> Iterator[Any]:
        yield from chunks
        if error is not None:
            raise error

    trace = trace_of(api, mutator)
    held = TracedIterator(source(), trace.recorder, done=lambda: random.random() < 0.5)
    most = random.randint(0, len(chunks) + 1) if random.random() < 0.3 else len(chunks) + 1
    seen: list[Any] = []
    raised: BaseException | None = None
    try:
        for chunk in held:
            seen.append(chunk)
            if len(seen) >= most:
                break
    except BaseException as found:  # noqa: BLE001 - compared below
        raised = found
    end(trace.recorder, mutator)
    assert all(one is other for one, other in zip(seen, chunks, strict=False))
    if raised is not None and raised is not error:
        raise raised
    assert len(seen) == min(most or 1, len(chunks)) or raised is not None
    assert not before or repr(chunks) == repr(before)
    checks.recorder(trace.recorder)
    checks.stream()
    return len(chunks)


def wire(api: str, mutator: Mutator) -> tuple[bytes, int]:
    """A mutated stream as bytes, some of them turned, and how many events it has."""
    events = mutator.stream(api)
    lines = []
    for event in events:
        value = mutator.value(event)
        data = value if value == "[DONE]" else json.dumps(value)
        if mutator.random.random() < 0.005:
            data = "[" * 100_000  # deeper than any reader of JSON goes
        name = f"event: {event.name}\n" if event.name and mutator.random.random() < 0.95 else ""
        lines.append(f"{name}data: {data}\n\n")
    body = bytearray("".join(lines).encode())
    while mutator.random.random() < 0.2:
        body[mutator.random.randrange(len(body))] = mutator.random.randrange(256)
    return bytes(body), len(events)


def pieces(body: bytes, mutator: Mutator) -> Iterator[bytes]:
    """The body, cut at a few places."""
    cuts = sorted(mutator.random.randrange(len(body) + 1) for _ in range(6))
    return (body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True))


def in_bytes(api: str, mutator: Mutator, checks: Checks) -> int:
    """Bytes, through the reader of answers that the application reads raw."""
    body, count = wire(api, mutator)
    trace = trace_of(api, mutator)
    recorder = trace.recorder
    reader = RawReader("text/event-stream", "", lambda _: None)
    for piece in pieces(body, mutator):
        started = recorder.clock()
        reader.asks(recorder, started)
        reader.feed(recorder, piece, started)
    if mutator.random.random() < 0.7:
        reader.finish(recorder, recorder.clock(), recorder.clock())
    end(recorder, mutator)
    checks.recorder(recorder)
    checks.stream()
    return count


def answers(api: str, mutator: Mutator, checks: Checks) -> int:
    """A whole answer, as an object and as JSON, through the reader of what is not streamed."""
    event = Event("", json.dumps(mutator.random.choice(ANSWERS[api])))
    value, kind = mutator.value(event), mutator.random.choice([ANSWER_TYPES[api], None])
    answer = decoded(json.dumps(value)) if kind is None else construct_type(value=value, type_=kind)
    recorder = trace_of(api, mutator).recorder
    recorder.tally.add(recorder, list(ENDPOINTS[api].answer(answer)), recorder.clock())
    recorder.end(Outcome.COMPLETED, recorder.clock())
    checks.stream()
    return 1


def whole_sdk(api: str, mutator: Mutator, checks: Checks) -> int:
    """Bytes, through the whole SDK: with us it hands out and raises what it does without us."""
    body, count = wire(api, mutator)
    Body.pieces = list(pieces(body, mutator))
    with_us, without = (_read(api, one) for one in _clients()[api])
    assert with_us == without
    checks.stream()
    return count


class Body(http.SyncByteStream):
    """The body of every answer."""

    pieces: ClassVar[list[bytes]] = []

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)


def _answer(request: Any) -> Any:
    return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())


@cache
def _clients() -> dict[str, tuple[Any, Any]]:
    """For each API a client, and the same untraced."""
    transport = http.Client(transport=http.MockTransport(_answer))
    options: Any = {"api_key": "k", "max_retries": 0, "http_client": transport}
    found = dict.fromkeys(CORPUS, openai.OpenAI(**options))
    found["messages"] = anthropic.Anthropic(**options)
    return {api: (client, otel_stream.untraced(client)) for api, client in found.items()}


def _read(api: str, client: Any) -> tuple[str, str]:
    """What is read, and what is raised."""
    arguments: dict[str, Any] = {"model": "m", "stream": True}
    if api == "chat":
        resource, arguments = client.chat.completions, {**arguments, "messages": HI}
    elif api == "messages":
        resource, arguments = client.messages, {**arguments, "messages": HI, "max_tokens": 9}
    else:
        resource = getattr(client, api)
        arguments |= {"prompt": "Hi"} if api == "completions" else {"input": "Hi"}
    seen = []
    try:
        seen.extend(repr(chunk) for chunk in resource.create(**arguments))
    except Exception as error:  # noqa: BLE001 - compared with the other's
        return "".join(seen), f"{type(error).__name__}: {error}"
    return "".join(seen), ""


PATHS: dict[str, Callable[[str, Mutator, Checks], int]] = {
    "objects": objects,
    "bytes": in_bytes,
    "answers": answers,
    "sdk": whole_sdk,
}
"""Each runs one stream, checks it, and returns how many events it had."""
