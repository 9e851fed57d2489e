"""Clocks: durations by a monotonic one, moments when they happen, nothing on the reader's time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest

import otel_stream
from otel_stream import Callbacks, StreamingTraceContext
from otel_stream.testing import (
    Captured,
    ChatStream,
    ProviderServer,
    Script,
    ScriptedClock,
    Send,
    WaitFor,
    chat_text,
)

Chat = Callable[..., Any]
SSE = {"content-type": "text/event-stream"}
FIRST_TOKEN = "otel_stream.time_to_first_token"


def test_clock_set_back(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 7: a wall clock that is set back three hours makes no time negative, or wrong."""
    began = time.perf_counter()
    stream = otel_stream.trace_stream(iter("abc"))
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3 * 3600 * 10**9)
    monkeypatch.setattr(time, "time", lambda: now / 1e9 - 3 * 3600)
    assert list(stream) == ["a", "b", "c"]
    span = captured.span()
    attributes = span.attributes

    assert 0 <= span.end_time - span.start_time <= (time.perf_counter() - began) * 1e9
    assert min(v for n, v in attributes.items() if "time_to" in n or "gap" in n) >= 0
    assert [e.timestamp for e in span.events] == sorted(e.timestamp for e in span.events)
    assert span.start_time <= span.events[0].timestamp


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Pacific/Kiritimati"])
def test_time_zone(zone: str, captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 7: whatever the time zone, a span's moments are those of the epoch's clock."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    before = time.time_ns()
    list(otel_stream.trace_stream(iter("abc")))
    span = captured.span()
    monkeypatch.undo()
    time.tzset()

    assert before <= span.start_time <= span.end_time <= time.time_ns()


def test_empty_first_delta(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Traps 20, 004: a first delta that is empty is a chunk, and no first token."""
    server.script(None, Script.stream(ChatStream().role().text(["", "Hi"]).finish().done()))
    seen = [chunk for chunk in chat() if chunk.choices[0].delta.content == "Hi"]
    events = dict(captured.events())
    token = events["otel_stream.first_token"]["otel_stream.elapsed"]
    shown = [e for n, e in captured.events() if n == "otel_stream.chunk"]

    assert len(seen) == 1
    # Shown are the chunks 1, 2 and 4; the word is the third.
    assert [e["otel_stream.elapsed"] < token for e in shown] == [True, True, False]


def test_no_token_no_time(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Traps 1, 000: what did not happen has no time, rather than 0."""
    server.script(None, Script.stream(ChatStream().role().finish().done()))
    list(chat())

    assert [n for n in captured.span().attributes if n.startswith(FIRST_TOKEN[:-5])] == []
    assert "otel_stream.first_token" not in dict(captured.events())


def test_summary_knows_the_first_token(captured: Captured, clock: ScriptedClock) -> None:
    """Trap 1: the summary's first token latency is the one that was measured, not 0."""
    context = StreamingTraceContext(clock=clock)
    clock.advance(0.25)
    context.log_streaming_chunk("Hi")
    clock.advance(0.5)
    context.log_streaming_complete(completion_data={"output_tokens": 2})
    summary = context.get_streaming_summary()

    assert summary["first_token_latency_ms"] == pytest.approx(250)
    assert summary["first_token_to_completion_ms"] == pytest.approx(500)


class Told:
    """Hears of a first token."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.callbacks = Callbacks(on_first_token=lambda _: self.heard.set())


TOLD = Told()


@pytest.mark.otel_stream(callbacks=TOLD.callbacks)
@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
def test_no_lag_of_one_event(
    raw: bool, server: ProviderServer, openai_client: openai.OpenAI, captured: Captured
) -> None:
    """Trap 2: an event counts when it is there, not when the next one comes."""
    TOLD.heard.clear()
    events = chat_text(["Hi"])
    # The server sends what follows only once the first token has been told.
    steps = [Send(b"".join(events[:2])), WaitFor(TOLD.heard), Send(b"".join(events[2:]))]
    server.script(None, Script(steps, headers=SSE))
    resource = openai_client.chat.completions.with_streaming_response
    messages: Any = [{"role": "user", "content": "Hi"}]
    with resource.create(model="m", messages=messages, stream=True) as response:
        for _ in response.iter_bytes() if raw else response.parse():  # type: ignore[union-attr]
            pass

    assert captured.span().attributes["otel_stream.outcome"] == "completed"


class Slow:
    """A callback that takes until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.callbacks = Callbacks(on_start=lambda _: self.go.wait(30))


SLOW = Slow()


@pytest.mark.otel_stream(callbacks=SLOW.callbacks)
async def test_event_loop_is_not_blocked(server: ProviderServer, captured: Captured) -> None:
    """Traps 4, 5: a callback that blocks blocks neither the event loop nor the stream."""
    server.script(None, Script.stream(chat_text(["Hello", " you"])))
    messages: Any = [{"role": "user", "content": "Hi"}]
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="test") as client:
        stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
        chunks = [chunk async for chunk in stream]
    blocked = not SLOW.go.is_set()
    SLOW.go.set()

    assert blocked
    assert len(chunks) == 4
    assert captured.span().attributes["otel_stream.outcome"] == "completed"


def test_consumers_time_apart(captured: Captured) -> None:
    """Trap 3: what the consumer does between two chunks is no time of generation."""
    slept = 0.0
    began = time.perf_counter()
    for _ in otel_stream.trace_stream(iter("abcde")):
        time.sleep(0.01)
        slept += 0.01
    lasted = time.perf_counter() - began
    attributes = captured.span().attributes

    assert attributes["otel_stream.consumer_time"] >= slept
    assert attributes["otel_stream.provider_wait"] <= lasted - slept
