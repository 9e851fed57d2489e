"""The streams of one turn, and what sending its messages has cost each of them."""

from __future__ import annotations

from threading import Lock

from otel_stream.record.recorder import Recorder

__all__ = ["Charge", "Streams"]


class Charge:
    """What sending has cost one stream.

    Attributes:
        time: Seconds that messages took while it was open, or after it if it was the last.
        in_loop: Those of its consumer's seconds, between two reads, that went into sending.
    """

    __slots__ = ("in_loop", "time")

    def __init__(self) -> None:
        self.time = self.in_loop = 0.0


class Streams:
    """Knows which streams are open, and charges them."""

    def __init__(self) -> None:
        self._open: dict[Recorder, Charge] = {}
        self._last: Charge | None = None
        self.unlock()

    def began(self, stream: Recorder) -> Charge:
        """A stream of this turn begins. Returns what it will be charged with."""
        with self._lock:
            charge = self._open[stream] = Charge()
        return charge

    def ended(self, stream: Recorder) -> None:
        """It is over. What is sent later is of the one that ended last."""
        with self._lock:
            self._last = self._open.pop(stream, self._last)

    def sent(self, took: float, *, in_loop: bool = True) -> None:
        """A message was sent, or given up, after so many seconds; `in_loop`: by who reads."""
        with self._lock:
            for stream, charge in self._open.items():
                charge.time += min(took, stream.clock() - stream.called)
            if self._last is not None and not self._open:
                self._last.time += took
        if in_loop:
            self.held_up(took)

    def held_up(self, seconds: float) -> None:
        """Who reads has spent these seconds on sending, or on waiting for it."""
        with self._lock:
            for stream, charge in self._open.items():
                if not stream.in_read:
                    charge.in_loop += min(seconds, stream.clock() - stream.read_at)

    def unlock(self) -> None:
        """At first, and in a forked child: who held the lock is not there."""
        self._lock = Lock()
