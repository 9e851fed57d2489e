"""Volume: a budget of events, fixed memory."""

from __future__ import annotations

import gc
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import otel_stream
from otel_stream.testing import Captured, chat_text

from .apis import CHAT

Clients = Callable[..., Any]
MANY = 303


def test_three_hundred_chunks(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [11], B25, C10c: 303 chunks make few events, the first and the last among them."""
    serve([b"".join(chat_text(["x"] * (MANY - 2)))])
    list(CHAT.create(client_for(CHAT)))
    names = [name for name, _ in captured.events()]

    assert len(names) <= 32
    assert names[1] == "otel_stream.first_token"
    assert names[-1] == "otel_stream.complete"
    assert "otel_stream.events.dropped" not in captured.span().attributes


@pytest.mark.otel_stream(chunk_events="all")
def test_ten_thousand_chunk_events(captured: Captured) -> None:
    """peers [11], C10c: even when all chunks are to be events, the budget holds and drops count."""
    for _ in otel_stream.trace_stream("x" for _ in range(10_000)):
        pass
    span = captured.span()
    names = [name for name, _ in captured.events()]

    assert len(names) == 32 - 1  # room for an exception stays
    assert {"otel_stream.first_token", "otel_stream.complete"} <= set(names)
    assert span.attributes["otel_stream.events.dropped"] == 10_000 - 29
    assert span.dropped_events == 0


def test_one_event_a_stream_is_no_span_a_chunk(captured: Captured) -> None:
    """peers B25: a stream is one span, however many chunks it has."""
    for _ in otel_stream.trace_stream("x" for _ in range(1_000)):
        pass

    assert len(captured.spans()) == 1


# The few chunks that are shown as events have a budget of their own.
@pytest.mark.otel_stream(chunk_events="off")
def test_memory_per_chunk(captured: Captured) -> None:
    """peers [40], C10d: without content a chunk keeps at most 16 bytes, its text not at all."""
    with otel_stream.trace_stream(Words()) as stream:
        loop = iter(stream)
        grown(loop, 100)
        few = grown(loop, 800)
        grown(loop, 150)
        many = grown(loop, 10_000)

    assert few <= 800 * 16
    assert many <= 8_192  # the buckets of the quantiles, however many chunks


class Words:
    """Endless words, of which each is a new string."""

    def __iter__(self) -> Iterator[str]:
        return (f"word {n} " * 4 for n in itertools.count())

    def __enter__(self) -> Words:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""


def grown(loop: Any, count: int) -> int:
    """By how many bytes `count` chunks that are read here make memory grow."""
    gc.collect()
    tracemalloc.start(10)
    for _ in range(count):
        next(loop)
    gc.collect()
    here = tracemalloc.Filter(True, __file__, all_frames=True)
    traces = tracemalloc.take_snapshot().filter_traces([here]).traces
    tracemalloc.stop()
    return sum(trace.size for trace in traces)


@pytest.mark.otel_stream(capture_content=True, content_limit=1_000)
def test_captured_content_is_bounded(captured: Captured) -> None:
    """peers [40], row 44: captured content has a bound, and the span says that it was cut."""
    for _ in otel_stream.trace_stream("x" * 10 for _ in range(1_000)):
        pass
    attributes = captured.span().attributes
    [message] = json.loads(attributes["gen_ai.output.messages"])

    assert message["parts"] == [{"type": "text", "content": "x" * 1_000}]
    assert attributes["otel_stream.content.truncated"] is True
    assert attributes["otel_stream.content.size"] == 10_000
