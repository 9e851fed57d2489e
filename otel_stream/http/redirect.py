"""What waits while a server sends a request elsewhere, until its next hop is made, or is not."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable

from otel_stream.outcome import Outcome
from otel_stream.watcher import watcher

__all__ = ["REDIRECTS", "Elsewhere"]

REDIRECTS = frozenset({307, 308})
"""Those that a POST goes on as a POST after."""
_PATIENCE = 1.0


class Elsewhere:
    """Something between two hops. Where nobody follows, it has failed."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.perf_counter
        self._until = self.clock() + _PATIENCE
        watcher.add(self)

    @abstractmethod
    def failed(self) -> None:
        """Nobody has followed."""

    @abstractmethod
    def forget(self) -> None:
        """It is the parent process's."""

    def arrived(self) -> None:
        """The next request is made: nothing to wait for any more."""
        watcher.remove(self)

    def check(self, now: float) -> float:
        """Look at it from outside, at `now`. Returns when to look again (s)."""
        if now >= self._until:
            watcher.remove(self)
            self.failed()
        return self._until

    def drop(self, outcome: Outcome) -> None:
        """The process ends."""
        self.failed()
