"""The budget of span events: 32 a span, the first token and the end always among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from otel_stream import semconv
from otel_stream.record.moments import BUDGET, Moments

CHUNK, STALL, TOOL = semconv.EVENT_CHUNK, semconv.EVENT_STALL, semconv.EVENT_TOOL_CALL
ROOM = BUDGET - 3
"""What is left beside the first token, the end and an exception."""


@pytest.fixture
def moments() -> Moments:
    """Moments of a stream whose first token has come."""
    kept = Moments()
    kept.first = (semconv.EVENT_FIRST_TOKEN, 1.0, {})
    return kept


def add(moments: Moments, kind: str, count: int, start: float = 2.0) -> None:
    """Add *count* moments of a kind, a second apart; each knows its number."""
    method = {STALL: moments.stall, TOOL: moments.tool}.get(kind)
    for number in range(count):
        if method is None:
            moments.chunk(start + number, number, 4, "text", 0.1)
        else:
            method(start + number, {"number": number})


def counts(moments: Moments) -> dict[str, int]:
    """How many of each kind are kept."""
    return dict(Counter(name for name, _, _ in moments.in_order()))


def test_within_the_budget(moments: Moments) -> None:
    """What fits is kept, by time, and nothing counts as dropped."""
    add(moments, CHUNK, 2, start=5.0)
    add(moments, STALL, 1, start=5.5)
    kept = [(name, at) for name, at, _ in moments.in_order()]

    assert kept == [(semconv.EVENT_FIRST_TOKEN, 1.0), (CHUNK, 5.0), (STALL, 5.5), (CHUNK, 6.0)]
    assert moments.dropped == 0


def test_room_for_the_end(moments: Moments) -> None:
    """However many moments there are, first token, end and an exception fit into 32."""
    add(moments, CHUNK, 100)

    assert counts(moments) == {semconv.EVENT_FIRST_TOKEN: 1, CHUNK: ROOM}
    assert moments.dropped == 100 - ROOM


def test_earliest_chunks_stay(moments: Moments) -> None:
    """Of chunks the first ones are kept: how an answer begins says more than its middle."""
    add(moments, CHUNK, 100)
    numbers = [one[semconv.CHUNK_INDEX] for name, _, one in moments.in_order() if name == CHUNK]

    assert numbers == list(range(ROOM))


def test_stalls_before_chunks(moments: Moments) -> None:
    """A stall takes the room of a chunk, which counts as dropped."""
    add(moments, CHUNK, ROOM)
    add(moments, STALL, 5, start=100.0)

    assert counts(moments) == {semconv.EVENT_FIRST_TOKEN: 1, CHUNK: ROOM - 5, STALL: 5}
    assert moments.dropped == 5


def test_tools_before_chunks(moments: Moments) -> None:
    """So does a tool call."""
    add(moments, CHUNK, ROOM)
    add(moments, TOOL, ROOM + 2, start=100.0)

    assert counts(moments) == {semconv.EVENT_FIRST_TOKEN: 1, TOOL: ROOM}
    assert moments.dropped == ROOM + 2


def test_stalls_before_tools(moments: Moments) -> None:
    """A stall takes the room of a tool call where no chunk is left."""
    add(moments, TOOL, ROOM)
    add(moments, STALL, 1, start=100.0)

    assert counts(moments) == {semconv.EVENT_FIRST_TOKEN: 1, TOOL: ROOM - 1, STALL: 1}


def test_first_token_stays(moments: Moments) -> None:
    """The first token is never given up, nor is a stall for a chunk or a tool call."""
    add(moments, STALL, ROOM + 1)
    add(moments, TOOL, 1)
    add(moments, CHUNK, 1)

    assert counts(moments) == {semconv.EVENT_FIRST_TOKEN: 1, STALL: ROOM}
    assert moments.dropped == 3


@pytest.mark.parametrize(
    ("mode", "shown", "dropped"),
    [
        ("off", [], 0),
        ("sampled", [1 << power for power in range(14)], 0),
        ("all", list(range(1, ROOM + 1)), 10_000 - ROOM),
    ],
)
def test_ten_thousand_chunks(
    mode: str, shown: list[int], dropped: int, make: Any, drive: Callable[..., Any]
) -> None:
    """Of a long stream none, the powers of two, or the first chunks become events (S3-5)."""
    recorder = make(chunk_events=mode)
    reading = drive(recorder)
    for _ in range(10_000):
        reading.chunk("tea", wait=0.001)
    reading.finish()
    found = [a[semconv.CHUNK_INDEX] for n, _, a in recorder.moments.in_order() if n == CHUNK]

    assert found == shown
    assert recorder.moments.dropped == dropped
