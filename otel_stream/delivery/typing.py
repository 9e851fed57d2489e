"""Showing that somebody types: many calls to the channel, one span for each stretch."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any

from opentelemetry.trace import SpanKind

from otel_stream import runtime, semconv
from otel_stream.delivery.identity import hidden, hidden_instance, person_of
from otel_stream.delivery.open_turns import turn_around
from otel_stream.delivery.stretch import Stretch
from otel_stream.errors import guard
from otel_stream.fork import call_in_child
from otel_stream.watcher import watcher

__all__ = ["Typing", "typing"]

_PEOPLE = 10_000
_FORGOTTEN = 60.0
"""Seconds after which typing that no message has followed belongs to none."""
_LONGEST = 600.0
"""Seconds that one call may claim to show something for."""


class Typing:
    """The stretches that last, by person.

    Args:
        clock: Monotonic seconds.
        size: People whose typing is known at once; the oldest make room.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter, size: int = _PEOPLE) -> None:
        self._clock = clock
        self._size = size
        self._start_anew()
        call_in_child(self._start_anew)

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
            now, key = self._clock(), person_of(recipient)
            stretch = self._lasting.get(key)
            if stretch is not None and now >= stretch.until:
                stretch.end(now)
            if fresh := stretch is None or stretch.ended:
                attributes = _attributes(system, recipient, instance, server_address)
                stretch = self._begun(key, system, attributes)
            stretch.shown(now + min(_LONGEST, max(0.0, lasts)))
            if fresh:  # And not before: until it is told for how long, it has run out.
                watcher.add(stretch)

    def stopped(self, recipient: str) -> None:
        """The channel shows no typing any more."""
        with guard("noting typing"), self._lock:
            stretch = self._lasting.get(person_of(recipient))
            if stretch is not None:
                stretch.end(self._clock())

    def refused(self, recipient: str, error_type: str) -> None:
        """The channel does not do what `shown` has told last."""
        with guard("noting typing"), self._lock:
            stretch = self._lasting.get(person_of(recipient))
            if stretch is None:
                return
            stretch.refused(error_type)
            if stretch.until <= (now := self._clock()):
                stretch.end(now)

    def taken(self, recipient: str) -> float:
        """Seconds of typing that this person has seen, and no message before has counted."""
        with guard("counting typing"), self._lock:
            key = person_of(recipient)
            stretch = self._lasting.get(key)
            shown = stretch.taken(self._clock()) if stretch is not None else 0.0
            before, at = self._untold.pop(key, (0.0, 0.0))
            return shown + (before if self._clock() - at < _FORGOTTEN else 0.0)
        return 0.0

    def _begun(self, key: str, system: str, attributes: dict[str, Any]) -> Stretch:
        while len(self._lasting) >= self._size:
            oldest = next(iter(self._lasting))
            self._lasting.pop(oldest).end(self._clock())
        _, around = turn_around(key)
        wall = time.time_ns()
        span = runtime.current().tracer.start_span(
            f"type {system}", around, SpanKind.CLIENT, attributes, start_time=wall
        )
        stretch = Stretch(span, wall, self._clock, partial(self._ended, key))
        self._lasting[key] = stretch
        return stretch

    def _ended(self, key: str, untold: float) -> None:
        with self._lock:
            lasting = self._lasting.get(key)
            if lasting is not None and lasting.ended:  # Not the one that has come after it.
                del self._lasting[key]
            if untold > 0:
                before, _ = self._untold.pop(key, (0.0, 0.0))
                self._untold[key] = (before + untold, self._clock())
                while len(self._untold) > self._size:
                    self._untold.popitem(last=False)

    def _start_anew(self) -> None:
        """At first, and in a forked child: what lasts is the parent's."""
        self._lasting: dict[str, Stretch] = {}
        self._untold: OrderedDict[str, tuple[float, float]] = OrderedDict()
        # Taken again where ending a stretch comes back here.
        self._lock = RLock()


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
