"""What one stream did, told by its reader: sans-IO, in fixed memory, ended exactly once.

The loops of `stream.py` call `feed` after each chunk and one of `finish`, `fail`, `leave`, `drop`,
`close` at the end. The recorder keeps times and counts; it makes no telemetry. Whoever listens
(`Listener`) is told of the few moments that matter and, once, of the end. All times are seconds of
one monotonic clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from otel_stream.delta import Found, Reader
from otel_stream.errors import report
from otel_stream.outcome import Outcome
from otel_stream.record.capture import Capture
from otel_stream.record.gaps import EXACT, Gaps
from otel_stream.record.limits import Limits
from otel_stream.record.listener import NOBODY, Listener
from otel_stream.record.moments import Moments
from otel_stream.record.reading import AfterFailure, explain, is_whole
from otel_stream.record.stalls import Stalls
from otel_stream.record.tally import Tally

__all__ = ["Recorder"]


class Recorder:
    """Records one stream. One reader at a time feeds it; `check` and ends come from anywhere.

    Args:
        reader: Turns chunks into deltas.
        listener: Told of moments and of the end.
        limits: Stall thresholds, the second of grace, the choice of chunk events.
        capture: Keeps the content, or None to keep none.
        wants_deltas: Tell the listener of every delta.
        clock: Monotonic seconds.
    """

    __slots__ = (
        "_add_gap", "_chunk_at", "_ending", "_mark", "_reader", "attentive", "called", "carried",
        "chunks", "clock", "ended", "ended_at", "error", "first_chunk_at", "first_read_at",
        "first_wait", "gaps", "headers_at", "last_wait", "left_at", "left_outcome", "limits",
        "listener", "moments", "outcome", "read_at", "reading_since", "size", "stall_after",
        "stalls", "tally",
    )  # fmt: skip

    def __init__(
        self,
        reader: Reader,
        listener: Listener,
        *,
        limits: Limits,
        capture: Capture | None = None,
        wants_deltas: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._reader = reader
        self.listener = listener
        self.limits = limits
        self.clock = clock
        self.gaps = Gaps()
        self._add_gap = self.gaps.add
        self.moments = Moments()
        self.stalls = Stalls()
        self.tally = Tally(capture, wants_deltas)
        self._ending = Lock()
        self._mark = 1
        self.attentive = True
        self.chunks = self.size = 0
        self.stall_after = limits.first
        self.carried = self.first_wait = self.last_wait = 0.0
        self.called = self.reading_since = self.read_at = self.ended_at = clock()
        self.first_read_at: float | None = None
        self.headers_at: float | None = None
        self.first_chunk_at: float | None = None
        self._chunk_at = (0, 0.0)
        self.left_at: float | None = None
        self.left_outcome = Outcome.CLOSED_EARLY
        self.error: BaseException | None = None
        self.ended = False
        self.outcome: Outcome | None = None

    def feed(self, chunk: Any, started: float, now: float) -> None:  # noqa: C901 - calls cost here
        """One chunk arrived: asked for at `started`, there at `now`. The hot path."""
        if self.ended:
            return
        self.read_at = now
        wait = now - started
        self._add_gap(wait)
        count = self.chunks = self.chunks + 1
        if wait >= self.stall_after:
            self._stalled(started, count - 1, wait)
        try:
            found = self._reader.read(chunk)
            if found.__class__ is str:
                self.size += len(found)
                if self.attentive and found:
                    self.tally.text(self, found, now)
            elif found is not None:
                self.tally.add(self, found, now)
        except Exception as error:
            if report("reading a chunk", error):
                raise
            found = None
        if count == self._mark and count == self.chunks:
            self._marked(found, started, now)

    def arrived(self, now: float) -> None:
        """A read ended, with no chunk or none yet."""
        self._chunk_at = (self.chunks, self.last_chunk_at or now)
        self.read_at = now

    def finish(self, started: float, now: float, done: bool = False) -> None:
        """The body ended cleanly. `done`: the wire's own end mark was seen."""
        self._last_read(started, now)
        if self.tally.failure is not None:
            self.end(Outcome.ERROR, now)
        elif self.tally.terminal or is_whole(self._reader, done):
            self.end(self.tally.ending, now)
        else:
            self.end(Outcome.TRUNCATED, now)

    def fail(self, error: BaseException, started: float, now: float, outcome: Outcome) -> None:
        """The read raised `error`. `outcome` is what that means if the answer is not whole."""
        self._last_read(started, now)
        if outcome is Outcome.ERROR and not self.ended:
            self.tally.failure = self.tally.failure or explain(self._reader, error)
        self.end(self._unless_whole(outcome), now, error)

    @property
    def in_read(self) -> bool:
        """Whether a read of the next chunk is under way."""
        return self.reading_since > self.read_at

    def leave(self, outcome: Outcome) -> None:
        """A loop was left. The stream may still be read on by somebody who holds it."""
        if self.ended:
            return
        now = self.clock()
        if self.tally.terminal or self.tally.failure is not None:
            self.end(self._unless_whole(outcome), now)
        else:
            self.left_outcome = outcome
            self.left_at = now

    def resume(self) -> None:
        """Somebody reads on."""
        self.left_at = None

    def _left(self) -> float | None:
        """When the loop was left, if nobody has read since: there may be another loop."""
        return None if self.reading_since > (self.left_at or 0.0) else self.left_at

    def drop(self, outcome: Outcome) -> None:
        """Nobody holds the stream any more. `outcome` holds if no loop over it was left."""
        if self.ended:
            return
        if (left := self._left()) is not None:
            self.end(self.left_outcome, left)
        else:
            self.end(self._unless_whole(outcome), self.clock())

    def close(self, outcome: Outcome = Outcome.CLOSED_EARLY) -> None:
        """The consumer closed the stream."""
        if self.ended:
            return
        if (left := self._left()) is not None and outcome is Outcome.CLOSED_EARLY:
            outcome = self.left_outcome
        self.end(self._unless_whole(outcome), left or self.clock())

    def check(self, now: float) -> float:
        """Look at the stream from outside, at `now`. Returns when to look again (s)."""
        if self.ended:
            return now
        # Read in this order: a chunk is counted only after the end of its wait is known.
        before, since = self.chunks, self.reading_since
        if since > self.read_at:
            since = max(since, self.stalls.working_until)
            if now - since >= self.stall_after:
                self._stalled(since, before)
                return now + self.stall_after
            return since + self.stall_after
        if (left := self._left()) is not None:
            return self._end_after_grace(left, now, self.left_outcome)
        if self.tally.terminal_last:
            return self._end_after_grace(self.read_at, now, Outcome.COMPLETED)
        return now + self.limits.grace

    def _end_after_grace(self, since: float, now: float, outcome: Outcome) -> float:
        if now - since >= self.limits.grace:
            self.end(self._unless_whole(outcome), since)
        return since + self.limits.grace

    def end(self, outcome: Outcome, at: float, error: BaseException | None = None) -> None:
        """End with `outcome`. Only the first end counts, from whatever thread it comes."""
        if not self._ending.acquire(blocking=False):
            return
        self.outcome = outcome
        self.ended_at = at
        self.error = error
        self.ended = True
        self.listener.ended(self)
        # The listener holds this recorder, and an error the frames that it came through; without
        # this each stream, and what the program has in those frames, would wait for the collector.
        self.listener = NOBODY
        self.error = None

    def failed(self) -> None:
        """An error event came: whatever follows it is read, and counted no more."""
        self.uncount()
        self._reader = AfterFailure(self._reader)

    def done(self) -> None:
        """The wire's own end mark was seen, while the body goes on."""
        if is_whole(self._reader, done=True):
            self.tally.terminal = True

    def forget(self) -> None:
        """Record no more and tell nobody: the stream is somebody else's."""
        if self._ending.acquire(blocking=False):
            self.ended = True
            self.listener = NOBODY

    def uncount(self) -> None:
        """The event just fed was no chunk. Its wait belongs to the next one (`take_carried`)."""
        self.chunks -= 1
        self.carried += (wait := self.gaps.forget_last())
        self.first_read_at = self.first_read_at or self.read_at - wait
        if self._chunk_at[0] != self.chunks:
            self._chunk_at = (self.chunks, self.read_at - wait)

    def take_carried(self) -> float:
        """The time waited through events that were no chunks (s), for who reads the next one."""
        carried, self.carried = self.carried, 0.0
        return carried

    @property
    def last_chunk_at(self) -> float | None:
        """When the last chunk came. Kept apart only once another event or the end came after it."""
        count, at = self._chunk_at
        if not self.chunks:
            return None
        return at if count == self.chunks else self.read_at

    @property
    def provider_wait(self) -> float:
        """Time spent inside reads (s)."""
        return self.first_wait + self.gaps.total + self.last_wait + self.carried

    @property
    def consumer_time(self) -> float:
        """Time between reads (s)."""
        if self.first_read_at is None:
            return 0.0
        return max(0.0, self.read_at - self.first_read_at - self.provider_wait)

    def _unless_whole(self, outcome: Outcome) -> Outcome:
        if self.tally.failure is not None:
            return Outcome.ERROR
        return self.tally.ending if self.tally.terminal else outcome

    def _last_read(self, started: float, now: float) -> None:
        if self.ended:
            return
        self.arrived(now)
        self.first_read_at = self.first_read_at or started
        self.last_wait = now - started
        if self.last_wait >= self.stall_after:
            self._stalled(started, self.chunks, self.last_wait)

    def _stalled(self, since: float, before: int, wait: float = 0.0) -> None:
        """A read after `before` chunks is a stall; with `wait`, it is over."""
        if wait:
            since, wait = self.stalls.without_work(since, wait)
            if wait < self.stall_after:
                return
        if self.stalls.note(since, before, self.moments):
            self.listener.stalled(self, since)
        self.stalls.over(wait)

    def _marked(self, found: Found, started: float, now: float) -> None:
        """The first chunk, one that is to be shown, or one before which the gaps are folded."""
        count = self.chunks
        if count == 1:
            self.first_wait = self.gaps.forget_last()
            self.first_chunk_at = now
            if self.first_read_at is None:
                self.first_read_at = started
        if self.gaps.full:
            self.listener.gaps(self, self.gaps.fold())
        mode = self.limits.chunk_events
        if mode == "all" or (mode == "sampled" and count & (count - 1) == 0):
            kind, size = self.tally.describe(found)
            self.moments.chunk(now, count, size, kind, now - started)
        next_shown = count + 1 if mode == "all" else 1 << count.bit_length()
        self._mark = min(next_shown, count + EXACT - self.gaps.kept)
