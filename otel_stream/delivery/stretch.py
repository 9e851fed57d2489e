"""A stretch of typing: from the first call until it is stopped, or what was shown has run out."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from opentelemetry.trace import Span, Status, StatusCode

from otel_stream import semconv
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.watcher import watcher

__all__ = ["Stretch"]


class Stretch:
    """One stretch, one span.

    Args:
        span: Just begun.
        wall: When (ns since the epoch).
        clock: Monotonic seconds.
        on_end: Told when it has ended, with its seconds that no message has counted.
    """

    def __init__(
        self,
        span: Span,
        wall: int,
        clock: Callable[[], float],
        on_end: Callable[[float], None],
    ) -> None:
        self.span = span
        self.clock = clock
        self.until = clock()
        self._on_end = on_end
        self._began = self._counted = self._before = self.until
        self._wall = wall
        self._calls = 0
        self._ending = Lock()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ending.locked()

    def shown(self, until: float) -> None:
        """One more call: it lasts until then, or longer."""
        self._calls += 1
        self._before, self.until = self.until, max(self.until, until)

    def refused(self, error_type: str) -> None:
        """That call has shown nothing."""
        self.until = self._before
        self.span.set_attribute(semconv.ERROR_TYPE, error_type)
        self.span.set_status(Status(StatusCode.ERROR, "typing was not shown"))

    def taken(self, now: float) -> float:
        """Seconds that were shown since this was asked last."""
        until = min(now, self.until)
        shown, self._counted = until - self._counted, max(self._counted, until)
        return max(0.0, shown)

    def end(self, now: float) -> None:
        """It is over, if it was not before."""
        if not self._ending.acquire(blocking=False):
            return
        watcher.remove(self)
        at = max(self._began, min(now, self.until))
        with guard("ending a stretch of typing"):
            self._on_end(self.taken(now))
        with guard("ending a stretch of typing"):
            self.span.set_attributes(
                {
                    semconv.DELIVERY_TYPING_TIME: at - self._began,
                    semconv.DELIVERY_ATTEMPTS: self._calls,
                }
            )
        with guard("ending a stretch of typing"):
            self.span.end(self._wall + round((at - self._began) * 1e9))

    # --- watched, until it has run out ---------------------------------------------------------

    def check(self, now: float) -> float:
        """Look at it from outside, at `now`. Returns when to look again (s)."""
        if now >= self.until:
            self.end(now)
        return self.until

    def drop(self, outcome: Outcome) -> None:
        """The process ends."""
        self.end(self.clock())

    def forget(self) -> None:
        """It is the parent process's."""
        self._ending.acquire(blocking=False)
