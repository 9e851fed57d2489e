"""Providers tell the same answer in different words; a listener hears one language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from otel_stream.delta import Reasoning, Usage
from otel_stream.outcome import Outcome
from otel_stream.raw import RawReader
from otel_stream.record.limits import Limits
from otel_stream.record.recorder import Recorder
from otel_stream.testing import (
    ScriptedClock,
    chat_reasoning,
    chat_text,
    chat_usage,
    message_text,
    message_thinking,
    response_text,
)
from otel_stream_anthropic.messages import MessageReader
from otel_stream_openai.chat import ChatReader
from otel_stream_openai.responses import ResponsesReader

WORDS = ["Hello", ", ", "you", "."]


def heard_of(reader: Any, body: Iterable[bytes], heard: Any, clock: ScriptedClock) -> Recorder:
    """Read a body that comes event by event, a tenth of a second apart."""
    recorder = Recorder(reader, heard, limits=Limits(), wants_deltas=True, clock=clock)
    raw = RawReader("text/event-stream", "", lambda _: None)
    for event in body:
        started = clock()
        raw.asks(recorder, started)
        clock.advance(0.1)
        raw.feed(recorder, event, started)
    raw.finish(recorder, clock(), clock())
    return recorder


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (ChatReader(), chat_text(WORDS, usage=chat_usage(9, 5))),
        (ResponsesReader(), response_text(WORDS)),
        (MessageReader(), message_text(WORDS)),
        (ChatReader(), chat_reasoning([], WORDS, usage=chat_usage(9, 5))),
    ],
    ids=["openai chat", "openai responses", "anthropic", "xai"],
)
def test_text(reader: Any, body: Any, heard: Any, clock: ScriptedClock) -> None:
    """The deltas of OpenAI, Anthropic and xAI are the same words, with the same end (S4-1)."""
    recorder = heard_of(reader, body, heard, clock)
    usage = [told[1] for told in heard.told if told[0] == "usage"][-1]

    assert [told[1] for told in heard.told if told[0] == "delta"] == WORDS
    assert isinstance(usage, Usage)
    assert usage.output is not None
    assert (recorder.outcome, recorder.size) == (Outcome.COMPLETED, len("".join(WORDS)))


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (ChatReader(), chat_reasoning(["Let me", " see"], WORDS)),
        (ChatReader(), chat_reasoning(["Let me", " see"], WORDS, field="reasoning")),
        (MessageReader(), message_thinking(["Let me", " see"], WORDS)),
    ],
    ids=["xai", "groq", "anthropic"],
)
def test_reasoning(reader: Any, body: Any, heard: Any, clock: ScriptedClock) -> None:
    """So is their reasoning, which is told apart from the text."""
    recorder = heard_of(reader, body, heard, clock)
    deltas = [told[1] for told in heard.told if told[0] == "delta"]

    assert deltas == [Reasoning("Let me"), Reasoning(" see"), *WORDS]
    assert recorder.tally.first_reasoning_at == recorder.tally.first_token_at


def test_timing(clock: ScriptedClock, heard: Any) -> None:
    """Times are taken alike: by one monotonic clock, from the call, whoever answers (S4-25)."""
    bodies = ((ChatReader(), chat_text(WORDS)), (MessageReader(), message_text(WORDS)))
    recorders = [heard_of(reader, body, heard, clock) for reader, body in bodies]
    first = [(r.first_chunk_at or 0.0) - r.called for r in recorders]
    last = [(r.last_chunk_at or 0.0) - r.called for r in recorders]

    assert first == [pytest.approx(0.1)] * 2
    assert last == [
        pytest.approx(0.1 * (len(bodies[0][1]) - 1)),
        pytest.approx(0.1 * len(bodies[1][1])),
    ]
