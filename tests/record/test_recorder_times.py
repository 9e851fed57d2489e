"""Where a stream's time goes, and the second of grace for one that was left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.delta import Terminal
from otel_stream.outcome import Outcome
from otel_stream.testing import ScriptedClock

Make = Callable[..., Any]


class TestTimes:
    def test_provider_and_consumer(self, make: Make, drive: Make) -> None:
        """Time in reads and time between them are kept apart (S3-6)."""
        recorder = make()
        reading = drive(recorder)
        reading.chunk("a", wait=1.0, body=10.0)
        reading.chunk("b", wait=0.25, body=20.0)
        reading.finish(wait=0.5)

        assert (recorder.provider_wait, recorder.consumer_time) == (1.75, 30.0)

    def test_before_the_first_read(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """The time until somebody reads belongs to neither."""
        recorder = make()
        clock.advance(7.0)
        drive(recorder).chunk("a", wait=1.0, body=2.0)
        drive(recorder).finish(wait=0.0)

        assert (recorder.provider_wait, recorder.consumer_time) == (1.0, 2.0)

    def test_never_read(self, make: Make) -> None:
        """A stream that nobody reads has neither."""
        recorder = make()
        recorder.close()

        assert (recorder.provider_wait, recorder.consumer_time) == (0.0, 0.0)

    def test_gaps_are_provider_waits(self, make: Make, drive: Make) -> None:
        """A slow consumer never looks like a slow provider, and the first wait is no gap."""
        recorder = make()
        reading = drive(recorder)
        for wait in (1.5, 0.25, 0.125, 0.5):
            reading.chunk("a", wait=wait, body=30.0)

        assert recorder.gaps.quantiles() == (0.25, 0.5, 0.5)

    def test_each_gap_is_told_once(self, make: Make, drive: Make, heard: Any) -> None:
        """One wait for each chunk after the first, however long the stream."""
        recorder = make()
        reading = drive(recorder)
        for _ in range(2501):
            reading.chunk("a", wait=0.5)

        assert len(heard.waits) + len(recorder.gaps.batch) == 2500
        assert recorder.provider_wait == 0.5 * 2501


class TestGrace:
    def test_left_and_read_on(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """A left loop ends nothing while somebody may read on."""
        recorder = make()
        drive(recorder).chunk("a")
        recorder.leave(Outcome.CLOSED_EARLY)
        recorder.check(clock.advance(0.5))
        recorder.resume()
        clock.advance(10.0)
        recorder.check(clock())
        drive(recorder).chunk("b")
        drive(recorder).finish()

        assert (recorder.outcome, recorder.chunks) == (Outcome.COMPLETED, 2)

    def test_ends_after_grace(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """A second later it ends, with the time at which the loop was left."""
        recorder = make()
        drive(recorder).chunk("a")
        recorder.leave(Outcome.CLOSED_EARLY)
        left = clock()

        assert recorder.check(left + 0.99) == left + 1.0
        assert not recorder.ended
        recorder.check(left + 1.0)
        assert (recorder.outcome, recorder.ended_at) == (Outcome.CLOSED_EARLY, left)

    @pytest.mark.parametrize(
        ("how", "want"),
        [
            (lambda r: r.drop(Outcome.ABANDONED), Outcome.CLOSED_EARLY),
            (lambda r: r.close(Outcome.CLOSED_EARLY), Outcome.CLOSED_EARLY),
            (lambda r: r.close(Outcome.CANCELLED), Outcome.CANCELLED),
        ],
    )
    def test_ended_before_grace(
        self, how: Callable[[Any], None], want: Outcome, make: Make, drive: Make, clock: Any
    ) -> None:
        """Dropping or closing a left stream ends it at once, with the time of leaving."""
        recorder = make()
        drive(recorder).chunk("a")
        recorder.leave(Outcome.CLOSED_EARLY)
        left = clock()
        clock.advance(0.5)
        how(recorder)

        assert (recorder.outcome, recorder.ended_at) == (want, left)

    def test_another_loop(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """A loop that was left does not end the stream of a loop that goes on."""
        recorder = make()
        drive(recorder).chunk("a")
        recorder.leave(Outcome.CLOSED_EARLY)
        clock.advance(0.1)
        drive(recorder).chunk("b", body=30.0)
        recorder.check(clock())
        drive(recorder).finish()

        assert recorder.outcome is Outcome.COMPLETED

    def test_after_the_last_event(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """After an event that nothing can follow, the stream ends without its reader."""
        recorder = make()
        drive(recorder).chunk(Terminal(last=True))
        came = clock()
        recorder.check(clock.advance(1.0))

        assert (recorder.outcome, recorder.ended_at) == (Outcome.COMPLETED, came)

    def test_slow_consumer_keeps_it_open(self, make: Make, drive: Make, clock: Any) -> None:
        """A stream whose consumer takes an hour for a chunk stays open."""
        recorder = make()
        drive(recorder).chunk(["a", Terminal()], body=3600.0)
        recorder.check(clock())

        assert not recorder.ended
