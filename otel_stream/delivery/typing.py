"""Showing that somebody types: many calls to the channel, one span for each stretch."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otel_stream import runtime, semconv
from otel_stream.delivery.identity import hidden, hidden_instance, number_of
from otel_stream.delivery.open_turns import turn_around
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.watcher import watcher

__all__ = ["Typing", "typing"]

_STRETCHES = 10_000


class _Stretch:
    """One stretch: from the first call until somebody stops it, or what was shown has run out."""

    def __init__(self, span: Span, clock: Callable[[], float]) -> None:
        self.span = span
        self.clock = clock
        self.began = self.counted = self.until = self.before = clock()
        self._wall = time.time_ns()
        self.calls = 0
        self._ending = Lock()

    def taken(self, now: float) -> float:
        """Seconds that were shown since this was asked last."""
        until = min(now, self.until)
        shown, self.counted = until - self.counted, max(self.counted, until)
        return max(0.0, shown)

    def shown(self, until: float) -> None:
        """One more call: it lasts until then, or longer."""
        self.calls += 1
        self.before, self.until = self.until, max(self.until, until)

    def refused(self, error_type: str) -> None:
        """That call has shown nothing."""
        self.until = self.before
        self.span.set_attribute(semconv.ERROR_TYPE, error_type)
        self.span.set_status(Status(StatusCode.ERROR, "typing was not shown"))

    def end(self, now: float) -> None:
        """It is over, if it was not before."""
        if not self._ending.acquire(blocking=False):
            return
        watcher.remove(self)
        at = min(now, self.until)
        with guard("ending a stretch of typing"):
            self.span.set_attributes(
                {
                    semconv.DELIVERY_TYPING_TIME: at - self.began,
                    semconv.DELIVERY_ATTEMPTS: self.calls,
                }
            )
            self.span.end(self._wall + round((at - self.began) * 1e9))

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


class Typing:
    """The stretches that last, by person.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lasting: dict[str, _Stretch] = {}
        self._untold: dict[str, float] = {}
        self._lock = Lock()

    def shown(
        self,
        recipient: str,
        lasts: float,
        *,
        system: str = "whatsapp",
        instance: str | None = None,
        server_address: str | None = None,
    ) -> None:
        """The channel shows this person typing, for `lasts` seconds unless it is stopped."""
        if runtime.is_suppressed():
            return
        with guard("noting typing"), self._lock:
            now = self._clock()
            key = number_of(recipient) or recipient
            stretch = self._lasting.get(key)
            if stretch is None or now >= stretch.until > stretch.began:
                self._close(key, now)
                attributes = _attributes(system, recipient, instance, server_address)
                stretch = self._lasting[key] = self._begun(key, system, attributes)
            stretch.shown(now + max(0.0, lasts))
            watcher.add(stretch)

    def stopped(self, recipient: str) -> None:
        """The channel shows no typing any more."""
        with guard("noting typing"), self._lock:
            self._close(number_of(recipient) or recipient, self._clock())

    def refused(self, recipient: str, error_type: str) -> None:
        """The channel does not do what `shown` has told last."""
        with guard("noting typing"), self._lock:
            key = number_of(recipient) or recipient
            stretch = self._lasting.get(key)
            if stretch is None:
                return
            stretch.refused(error_type)
            if stretch.until <= (now := self._clock()):
                self._close(key, now)

    def taken(self, recipient: str) -> float:
        """Seconds of typing that this person has seen, and no message before has counted."""
        with self._lock:
            key = number_of(recipient) or recipient
            stretch = self._lasting.get(key)
            shown = stretch.taken(self._clock()) if stretch is not None else 0.0
            return self._untold.pop(key, 0.0) + shown

    def _close(self, key: str, now: float) -> None:
        stretch = self._lasting.pop(key, None)
        if stretch is None:
            return
        if (shown := stretch.taken(now)) > 0 and len(self._untold) < _STRETCHES:
            self._untold[key] = self._untold.get(key, 0.0) + shown
        stretch.end(now)

    def _begun(self, key: str, system: str, attributes: dict[str, Any]) -> _Stretch:
        if len(self._lasting) >= _STRETCHES:
            self._close(next(iter(self._lasting)), self._clock())
        _, around = turn_around(key)
        span = runtime.current().tracer.start_span(
            f"type {system}", around, SpanKind.CLIENT, attributes
        )
        return _Stretch(span, self._clock)


def _attributes(
    system: str, recipient: str, instance: str | None, server_address: str | None
) -> dict[str, Any]:
    found = {
        semconv.MESSAGING_SYSTEM: system,
        semconv.MESSAGING_OPERATION_NAME: "type",
        semconv.DELIVERY_RECIPIENT: hidden(recipient) or None,
        semconv.CHANNEL_INSTANCE: hidden_instance(instance) or None,
        semconv.SERVER_ADDRESS: server_address,
    }
    return {name: value for name, value in found.items() if value is not None}


typing = Typing()
"""The process's only one."""
