"""What one stream did, told by its reader: sans-IO, in fixed memory, ended exactly once.

The loops of `stream.py` call `feed` after each chunk and one of `finish`, `fail`, `leave`, `drop`,
`close` at the end. The recorder keeps times and counts; it makes no telemetry. Whoever listens
(`Listener`) is told of the few moments that matter and, once, of the end.

All times are seconds of one monotonic clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol

from otel_stream import semconv
from otel_stream.capture import Capture
from otel_stream.delta import Delta, Failure, Found, Reader, Skip, Usage
from otel_stream.errors import report
from otel_stream.gaps import EXACT, Gaps
from otel_stream.moments import Moments
from otel_stream.outcome import Outcome
from otel_stream.tally import Tally

__all__ = ["Limits", "Listener", "Recorder"]


class Limits(NamedTuple):
    """When a wait is a stall (s), and which chunks become span events."""

    first: float = 10.0
    reasoning: float = 15.0
    other: float = 2.0
    grace: float = 1.0
    chunk_events: str = "sampled"


class Listener(Protocol):
    """Told of what happens to one stream, on the thread where it happens. Must not block."""

    def first_token(self, recorder: Recorder, /) -> None: ...
    def delta(self, recorder: Recorder, delta: str | Delta, /) -> None: ...
    def stalled(self, recorder: Recorder, since: float, /) -> None: ...
    def usage(self, recorder: Recorder, usage: Usage, /) -> None: ...
    def gaps(self, recorder: Recorder, waits: Sequence[float], /) -> None: ...
    def ended(self, recorder: Recorder, /) -> None: ...


class _Nobody:
    """Listens to a stream that has ended: hears nothing."""

    def _ignore(self, *_: Any) -> None:
        """Whatever it was, it is over."""

    first_token = delta = stalled = usage = gaps = ended = _ignore


_NOBODY = _Nobody()


class _AfterFailure:
    """Reads on after an error event. What follows belongs to it and is no chunk of the answer."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.failure = reader.failure

    def read(self, chunk: Any) -> Found:
        found = self._reader.read(chunk)
        deltas = found if isinstance(found, (list, tuple)) else [found] if found is not None else []
        return [*(d for d in deltas if not isinstance(d, (Failure, Skip))), Skip()]

    def whole(self, done: bool) -> bool:
        return False


class Recorder:
    """Records one stream. One reader at a time feeds it; `check` and the ends may come from any thread.

    Args:
        reader: Turns chunks into deltas.
        listener: Told of moments and of the end.
        limits: Stall thresholds, the second of grace, the choice of chunk events.
        capture: Keeps the content, or None to keep none.
        wants_deltas: Tell the listener of every delta.
        clock: Monotonic seconds.
    """

    __slots__ = (
        "_ending", "_in_stall", "_mark", "_noted", "_reader", "attentive", "called",
        "carried", "chunks", "clock", "ended", "ended_at", "error", "first_chunk_at",
        "first_read_at", "first_wait", "gaps", "headers_at", "last_chunk_at", "last_wait",
        "left_at", "left_outcome", "limits", "listener", "moments", "outcome", "read_at", "reading_since",
        "size", "stall_after", "stall_count", "stall_time", "tally",
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
        self.moments = Moments()
        self.tally = Tally(capture, wants_deltas)
        self._ending = Lock()
        self._mark = 1
        self._noted = -1.0
        self._in_stall: dict[str, Any] | None = None
        self.attentive = True
        self.chunks = 0
        self.size = 0
        self.stall_after = limits.first
        self.stall_count = 0
        self.stall_time = 0.0
        self.carried = 0.0
        self.first_wait = self.last_wait = 0.0
        self.called = self.reading_since = self.read_at = self.ended_at = clock()
        self.first_read_at: float | None = None
        self.headers_at: float | None = None
        self.first_chunk_at: float | None = None
        self.last_chunk_at: float | None = None
        self.left_at: float | None = None
        self.left_outcome = Outcome.CLOSED_EARLY
        self.error: BaseException | None = None
        self.ended = False
        self.outcome: Outcome | None = None

    # --- reading -----------------------------------------------------------------------------

    def feed(self, chunk: Any, started: float, now: float) -> None:
        """One chunk arrived: asked for at `started`, there at `now`. The hot path."""
        self.read_at = now
        if self.ended:
            return
        wait = now - started
        self.gaps.add(wait)
        count = self.chunks = self.chunks + 1
        if wait >= self.stall_after:
            self._stalled(started, wait)
        try:
            found = self._reader.read(chunk)
        except Exception as error:
            found = self._unreadable(error)
        if found.__class__ is str:
            self.size += len(found)
            if self.attentive and found:
                self.tally.text(self, found, now)
        elif found is not None:
            self.tally.add(self, found, now)
            if self.chunks != count:
                return
        self.last_chunk_at = now
        if count == self._mark:
            self._marked(found, started, now)

    def finish(self, started: float, now: float, done: bool = False) -> None:
        """The body ended cleanly. `done`: the wire's own end mark was seen."""
        self._last_read(started, now)
        if self.tally.failure is not None:
            self.end(Outcome.ERROR, now)
        elif self.tally.terminal or self._is_whole(done):
            self.end(Outcome.COMPLETED, now)
        else:
            self.end(Outcome.TRUNCATED, now)

    def fail(self, error: BaseException, started: float, now: float, outcome: Outcome) -> None:
        """The read raised `error`. `outcome` is what that means if the answer is not whole."""
        self._last_read(started, now)
        if outcome is Outcome.ERROR and not self.ended:
            self._explain(error)
        self.end(self._unless_whole(outcome), now, error)

    # --- leaving -----------------------------------------------------------------------------

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

    def drop(self, outcome: Outcome) -> None:
        """Nobody holds the stream any more. `outcome` holds if no loop over it was left."""
        if self.ended:
            return
        if self.left_at is not None:
            self.end(self.left_outcome, self.left_at)
        else:
            self.end(self._unless_whole(outcome), self.clock())

    def close(self, outcome: Outcome = Outcome.CLOSED_EARLY) -> None:
        """The consumer closed the stream."""
        if self.ended:
            return
        if self.left_at is not None:
            outcome = self.left_outcome if outcome is Outcome.CLOSED_EARLY else outcome
        self.end(self._unless_whole(outcome), self.left_at or self.clock())

    def check(self, now: float) -> float:
        """Look at the stream from outside, at `now`. Returns when to look again (s)."""
        if self.ended:
            return now
        since = self.reading_since
        if since > self.read_at:
            if now - since >= self.stall_after:
                self._note(since)
                return now + self.stall_after
            return since + self.stall_after
        if self.left_at is not None:
            return self._wait_or(self.left_at, now, self.left_outcome)
        if self.tally.terminal_last:
            return self._wait_or(self.read_at, now, Outcome.COMPLETED)
        return now + self.limits.grace

    def _wait_or(self, since: float, now: float, outcome: Outcome) -> float:
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
        # The listener holds this recorder; without this each stream would wait for the collector.
        self.listener = _NOBODY

    def failed(self) -> None:
        """An error event came: whatever follows it is read, and counted no more."""
        self.uncount()
        self._reader = _AfterFailure(self._reader)

    def done(self) -> None:
        """The wire's own end mark was seen, while the body goes on."""
        if self._is_whole(done=True):
            self.tally.terminal = True

    def forget(self) -> None:
        """Record no more and tell nobody: the stream is somebody else's."""
        if self._ending.acquire(blocking=False):
            self.ended = True
            self.listener = _NOBODY

    def uncount(self) -> None:
        """The event just fed was no chunk. Its wait belongs to the next one (`take_carried`)."""
        self.chunks -= 1
        self.carried += self.gaps.forget_last()

    def take_carried(self) -> float:
        """The time waited through events that were no chunks (s), for whoever reads the next one."""
        carried, self.carried = self.carried, 0.0
        return carried

    # --- figures -----------------------------------------------------------------------------

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

    # --- seldom ------------------------------------------------------------------------------

    def _unless_whole(self, outcome: Outcome) -> Outcome:
        if self.tally.failure is not None:
            return Outcome.ERROR
        return Outcome.COMPLETED if self.tally.terminal else outcome

    def _explain(self, error: BaseException) -> None:
        """Note the error event that the exception stands for, if it stands for one."""
        try:
            failure = self._reader.failure(error)
        except Exception as fault:
            if report("reading an error", fault):
                raise
            return
        self.tally.failure = self.tally.failure or failure

    def _is_whole(self, done: bool) -> bool:
        try:
            return self._reader.whole(done)
        except Exception as error:
            if report("judging the end of a stream", error):
                raise
            return done

    def _unreadable(self, error: Exception) -> Found:
        if report("reading a chunk", error):
            raise error
        return None

    def _last_read(self, started: float, now: float) -> None:
        self.read_at = now
        if self.ended:
            return
        if self.first_read_at is None:
            self.first_read_at = started
        self.last_wait = now - started
        if self.last_wait >= self.stall_after:
            self._stalled(started, self.last_wait)

    def _stalled(self, since: float, wait: float) -> None:
        """A read that was a stall is over."""
        self._note(since)
        self.stall_time += wait
        # The event stands at the stall's start, and tells its whole length once that is known.
        if self._in_stall is not None:
            self._in_stall[semconv.GAP] = wait

    def _note(self, since: float) -> None:
        """A read that began at `since` has become a stall. The watcher and the reader may race."""
        if self._noted == since:
            return
        self._noted = since
        self.stall_count += 1
        self._in_stall = {semconv.CHUNK_INDEX: self.chunks}
        self.moments.stall(since, self._in_stall)
        self.listener.stalled(self, since)

    def _marked(self, found: Found, started: float, now: float) -> None:
        """The first chunk, one that is to be shown, or one before which the gaps are folded."""
        count = self.chunks
        if count == 1:
            self.first_wait = self.gaps.forget_last()
            self.first_chunk_at = now
            if self.first_read_at is None:
                self.first_read_at = started
        if self.gaps.full:
            self.listener.gaps(self, self.gaps.batch)
            self.gaps.fold()
        mode = self.limits.chunk_events
        if mode == "all" or (mode == "sampled" and count & (count - 1) == 0):
            kind, size = self.tally.describe(found)
            self.moments.chunk(
                now,
                {
                    semconv.CHUNK_INDEX: count,
                    semconv.CHUNK_SIZE: size,
                    semconv.CHUNK_KIND: kind,
                    semconv.GAP: now - started,
                },
            )
        next_shown = count + 1 if mode == "all" else 1 << count.bit_length()
        self._mark = min(next_shown, count + EXACT - self.gaps.kept)
