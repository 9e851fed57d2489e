"""The stalls of one stream: waits for the provider above a threshold."""

from __future__ import annotations

from math import inf
from threading import Lock
from typing import Any

from otel_stream import semconv
from otel_stream.record.moments import Moments

__all__ = ["Stalls"]


class Stalls:
    """Counts stalls, noted while they last by the watcher or afterwards by the reader.

    A stall is told from the next one by the chunks that came before it: pings that come while it
    lasts do not end it. Watcher and reader may race for it; `note` lets only one of them have it.
    """

    __slots__ = ("_before", "_event", "_noting", "_told", "count", "time", "working_until")

    def __init__(self) -> None:
        self.count = 0
        self.time = 0.0
        """The sum of all whole waits that were stalls (s)."""
        self.working_until = -inf
        """When work of its own has ended that the stream waited for (s); `inf` while it lasts."""
        self._before = -1
        self._told = 0.0
        self._event: dict[str, Any] = {}
        self._noting = Lock()

    def without_work(self, since: float, wait: float) -> tuple[float, float]:
        """Of a read that began at `since` and took `wait` seconds, what came after such work."""
        worked = self.working_until - since
        return (since, wait) if worked <= 0.0 else (self.working_until, wait - worked)

    def note(self, since: float, before: int, moments: Moments) -> bool:
        """A read that began at `since`, after `before` chunks, has become a stall.

        Returns whether that is news. Then its event is added, at `since`.
        """
        with self._noting:
            if self._before == before:
                return False
            self._before = before
        self.count += 1
        self._told = 0.0
        self._event = {semconv.CHUNK_INDEX: before + 1}
        moments.stall(since, self._event)
        return True

    def over(self, wait: float) -> None:
        """The wait of the noted stall has come to `wait` seconds, and its event tells so."""
        if wait > self._told:
            self.time += wait - self._told
            self._told = self._event[semconv.GAP] = wait
