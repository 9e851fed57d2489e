"""Showing that somebody types: many calls to the channel, one span for each stretch."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_stream import runtime, semconv
from otel_stream.delivery.identity import hidden, hidden_instance, person_of, same_instance
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
_Who = tuple[str, str]
"""A channel, and a person."""


class Typing:
    """The stretches that last, by person and by the channel's instance that shows them.

    Where either side does not know the instance, it is the same one.

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
            now, who = self._clock(), (system, person_of(recipient))
            lasting = self._of(who, instance)
            stretch = lasting[-1] if lasting else None
            if stretch is not None and now >= stretch.until:
                stretch.end(now)
            if fresh := stretch is None or stretch.ended:
                _, around = turn_around(recipient, instance)
                attributes = _attributes(system, recipient, instance, server_address)
                stretch = self._begun(who, instance or "", around, attributes)
            stretch.shown(now + min(_LONGEST, max(0.0, lasts)))
            if fresh:  # And not before: until it is told for how long, it has run out.
                watcher.add(stretch)

    def stopped(
        self, recipient: str, *, system: str = "whatsapp", instance: str | None = None
    ) -> None:
        """The channel shows no typing any more."""
        with guard("noting typing"), self._lock:
            for stretch in self._of((system, person_of(recipient)), instance):
                stretch.end(self._clock())

    def refused(
        self,
        recipient: str,
        error_type: str,
        *,
        system: str = "whatsapp",
        instance: str | None = None,
    ) -> None:
        """The channel does not do what `shown` has told last."""
        with guard("noting typing"), self._lock:
            lasting = self._of((system, person_of(recipient)), instance)
            if not lasting:
                return
            stretch = lasting[-1]
            stretch.refused(error_type)
            if stretch.until <= (now := self._clock()):
                stretch.end(now)

    def taken(
        self, recipient: str, *, system: str = "whatsapp", instance: str | None = None
    ) -> float:
        """Seconds of typing that this person has seen, and no message before has counted."""
        with guard("counting typing"), self._lock:
            who, now = (system, person_of(recipient)), self._clock()
            shown = sum(stretch.taken(now) for stretch in self._of(who, instance))
            untold = self._untold.get(who, {})
            for each in [each for each in untold if same_instance(each, instance)]:
                before, at = untold.pop(each)
                shown += before if now - at < _FORGOTTEN else 0.0
            if not untold:
                self._untold.pop(who, None)
            return shown
        return 0.0

    def _of(self, who: _Who, instance: str | None) -> list[Stretch]:
        """What is shown to this person by this instance."""
        lasting = self._lasting.get(who, {})
        return [lasting[each] for each in lasting if same_instance(each, instance)]

    def _begun(
        self, who: _Who, instance: str, around: Context, attributes: dict[str, Any]
    ) -> Stretch:
        while len(self._lasting) >= self._size and who not in self._lasting:
            oldest = next(iter(self._lasting))
            for each in self._lasting.pop(oldest).values():
                each.end(self._clock())
        wall = time.time_ns()
        span = runtime.current().tracer.start_span(
            f"type {who[0]}", around, SpanKind.CLIENT, attributes, start_time=wall
        )
        stretch = Stretch(span, wall, self._clock, partial(self._ended, who, instance))
        self._lasting.setdefault(who, {})[instance] = stretch
        return stretch

    def _ended(self, who: _Who, instance: str, untold: float) -> None:
        with self._lock:
            lasting = self._lasting.get(who, {})
            if instance in lasting and lasting[instance].ended:  # Not the one after it.
                del lasting[instance]
                if not lasting:
                    del self._lasting[who]
            if untold > 0:
                kept = self._untold.pop(who, {})
                before, _ = kept.get(instance, (0.0, 0.0))
                self._untold[who] = {**kept, instance: (before + untold, self._clock())}
                while len(self._untold) > self._size:
                    self._untold.popitem(last=False)

    def _start_anew(self) -> None:
        """At first, and in a forked child: what lasts is the parent's."""
        self._lasting: dict[_Who, dict[str, Stretch]] = {}
        self._untold: OrderedDict[_Who, dict[str, tuple[float, float]]] = OrderedDict()
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
