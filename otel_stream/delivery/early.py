"""Statuses that nobody has waited for yet: the reply to the send may still be on its way."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from otel_stream.delivery.status import Told
from otel_stream.fork import call_in_child

__all__ = ["Early", "Heard"]

_KEPT = 1_000
_KEPT_FOR = 60.0
_OF_ONE_MESSAGE = 8

Heard = tuple[Told, float]
"""A status, and when it was told (Unix seconds)."""


class Early:
    """The newest of them by message, for a minute.

    Args:
        on_gone: Told how many statuses nobody has come for.
        clock: Monotonic seconds.
        size: Messages kept.
    """

    def __init__(
        self,
        on_gone: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        size: int = _KEPT,
    ) -> None:
        self._on_gone = on_gone
        self._clock = clock
        self._size = size
        self._start_anew()
        call_in_child(self._start_anew)

    def keep(self, told: Told, heard: float) -> None:
        """Keep it for a while. The same status of the same message is kept once."""
        now = self._clock()
        with self._lock:
            _, kept = self._kept.setdefault(told.message_id, (now, []))
            known = any(each.status is told.status for each, _ in kept)
            if not known and len(kept) < _OF_ONE_MESSAGE:
                kept.append((told, heard))
            gone = self._make_room(now)
        if gone:
            self._on_gone(gone)

    def take(self, message_id: str) -> list[Heard]:
        """Those of this message, in the order in which they came."""
        if not self._kept:
            return []
        with self._lock:
            _, kept = self._kept.pop(message_id, (0.0, []))
            return kept

    def __len__(self) -> int:
        return len(self._kept)

    def _make_room(self, now: float) -> int:
        gone = 0
        while self._kept:
            since, kept = next(iter(self._kept.values()))
            if len(self._kept) <= self._size and now - since < _KEPT_FOR:
                break
            self._kept.popitem(last=False)
            gone += len(kept)
        return gone

    def _start_anew(self) -> None:
        """At first, and in a forked child."""
        self._kept: OrderedDict[str, tuple[float, list[Heard]]] = OrderedDict()
        self._lock = Lock()
