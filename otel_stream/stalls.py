"""The stalls of one stream: waits for the provider above a threshold."""

from __future__ import annotations

from typing import Any

from otel_stream import semconv
from otel_stream.moments import Moments

__all__ = ["Stalls"]


class Stalls:
    """Counts stalls, noted while they last by the watcher or afterwards by the reader.

    The two may race for the same stall; `note` lets only one of them have it.
    """

    __slots__ = ("_event", "_since", "count", "time")

    def __init__(self) -> None:
        self.count = 0
        self.time = 0.0
        """The sum of all whole waits that were stalls (s)."""
        self._since = -1.0
        self._event: dict[str, Any] = {}

    def note(self, since: float, chunks: int, moments: Moments) -> bool:
        """A read that began at `since` has become a stall. Returns whether that is news."""
        if self._since == since:
            return False
        self._since = since
        self.count += 1
        self._event = {semconv.CHUNK_INDEX: chunks}
        moments.stall(since, self._event)
        return True

    def over(self, wait: float) -> None:
        """The noted stall has ended after `wait` seconds: its event, at its start, now tells so."""
        self.time += wait
        self._event[semconv.GAP] = wait
