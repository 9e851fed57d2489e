"""Statuses that nobody has waited for yet: the reply to the send may still be on its way.

Or another process sends, and has not written that it did. So those who keep the messages are asked
for them again after a while.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from otel_stream.delivery.status import Told
from otel_stream.fork import call_in_child

__all__ = ["Early", "Heard"]

_KEPT = 1_000
_LOOKS = (1.0, 5.0, 30.0)
_KEPT_FOR = 60.0
_OF_ONE_MESSAGE = 8

Heard = tuple[Told, float]
"""A status, and when it was told (Unix seconds)."""


class _Waiting:
    """The statuses of one message."""

    __slots__ = ("heard", "looks", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.looks = 0
        self.heard: list[Heard] = []

    @property
    def next_look(self) -> float:
        """When to ask for the message again, or to give it up."""
        return self.since + (*_LOOKS, _KEPT_FOR)[self.looks]


class Early:
    """The newest of them by message, for a minute.

    Args:
        clock: Monotonic seconds.
        size: Messages kept.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, size: int = _KEPT) -> None:
        self._clock = clock
        self._size = size
        self._start_anew()
        call_in_child(self._start_anew)

    def keep(self, told: Told, heard: float) -> list[Heard]:
        """Keep it for a while. The same status of the same message is kept once.

        Returns what had to make room, or has waited long enough.
        """
        with self._lock:
            waiting = self._kept.setdefault(told.message_id, _Waiting(self._clock()))
            known = any(each.status is told.status for each, _ in waiting.heard)
            if not known and len(waiting.heard) < _OF_ONE_MESSAGE:
                waiting.heard.append((told, heard))
        return self.over()

    def take(self, message_id: str) -> list[Heard]:
        """Those of this message, in the order in which they came."""
        if not self._kept:
            return []
        with self._lock:
            waiting = self._kept.pop(message_id, None)
            return [] if waiting is None else waiting.heard

    def due(self) -> list[str]:
        """The messages that are to be asked for again now. Each is told a few times only."""
        now = self._clock()
        with self._lock:
            found = [
                message_id
                for message_id, waiting in self._kept.items()
                if waiting.looks < len(_LOOKS) and waiting.next_look <= now
            ]
            for message_id in found:
                waiting = self._kept[message_id]
                waiting.looks = sum(now - waiting.since >= look for look in _LOOKS)
            return found

    def over(self, *, all_of_them: bool = False) -> list[Heard]:
        """Takes those that have waited long enough, or for which there is no room."""
        now = self._clock()
        gone: list[Heard] = []
        with self._lock:
            while self._kept:
                waiting = next(iter(self._kept.values()))
                fits = len(self._kept) <= self._size and now - waiting.since < _KEPT_FOR
                if fits and not all_of_them:
                    break
                self._kept.popitem(last=False)
                gone += waiting.heard
        return gone

    def next_look(self) -> float:
        """When there is something to do by the clock."""
        with self._lock:
            return min((waiting.next_look for waiting in self._kept.values()), default=math.inf)

    def __len__(self) -> int:
        return len(self._kept)

    def _start_anew(self) -> None:
        """At first, and in a forked child."""
        self._kept: OrderedDict[str, _Waiting] = OrderedDict()
        self._lock = Lock()
