"""The clock and the ids that a test controls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from otel_stream.testing import CountingIds, ScriptedClock


def test_clock_stands_still() -> None:
    """Two readings are the same time."""
    clock = ScriptedClock()

    assert clock() == clock() == 100.0


def test_clock_advances() -> None:
    """`advance` moves the clock and returns the new time."""
    clock = ScriptedClock(5.0)

    assert clock.advance(0.25) == 5.25
    assert clock() == 5.25


def test_clock_steps() -> None:
    """With a step each reading is that much later."""
    clock = ScriptedClock(1.0, step=0.5)

    assert [clock(), clock(), clock()] == [1.0, 1.5, 2.0]


def test_clock_does_not_go_back() -> None:
    """A step back is an error, and the time stays."""
    clock = ScriptedClock()

    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1.0)
    assert clock() == 100.0


def test_clock_is_safe_in_threads() -> None:
    """No step is lost when threads read at the same time."""
    clock = ScriptedClock(0.0, step=1.0)
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: clock(), range(1000)))

    assert sorted(seen) == [float(number) for number in range(1000)]


def test_ids_count() -> None:
    """Traces and spans are numbered from 1, each for themselves."""
    ids = CountingIds()

    assert [ids.generate_trace_id(), ids.generate_trace_id()] == [1, 2]
    assert [ids.generate_span_id(), ids.generate_span_id()] == [1, 2]
