"""Receipts: the statuses that the process's webhooks tell, and the messages that they are about.

A store that is given may block, as disks and servers do, so it is opened and used on a thread of
its own. What waits for a message is looked for again by the clock, when the watcher says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, cast

from otel_stream import runtime, semconv
from otel_stream.callbacks import Dispatcher
from otel_stream.delivery.joining import Joining
from otel_stream.delivery.sent import DeliveryStore, Sent
from otel_stream.delivery.status import Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.errors import guard
from otel_stream.fork import call_in_child
from otel_stream.outcome import Outcome
from otel_stream.watcher import watcher

if TYPE_CHECKING:
    from otel_stream.delivery.sql import SQLStore

__all__ = ["Receipts", "receipts"]

_WAITING = 10_000
_BETWEEN_LOOKS = 0.5


class Receipts:
    """What the process's sends and webhooks tell.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._memory = Joining(MemoryStore(), clock)
        self._given: object = None
        self._joining = self._memory
        self._background = Dispatcher(_WAITING, self._dropped)
        self._start_anew()
        call_in_child(self._start_anew)

    def expect(self, message_id: str, sent: Sent) -> None:
        """A channel has accepted a message: statuses of this id are its. Never blocks."""
        self._have(lambda joining: joining.expect(message_id, sent))

    def tell(self, told: Told) -> None:
        """A channel has told a status, now. Never blocks."""
        heard = time.time()
        self._have(lambda joining: joining.join(told, heard))

    def drain(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all that was told is written; return whether."""
        return self._background.drain(timeout)

    def check(self, now: float) -> float:
        """The watcher looks. Returns when to look again (s)."""
        if self._next_look() <= now:
            self._have_all(Joining.look_again)
        return max(self._next_look(), now + _BETWEEN_LOOKS)

    def drop(self, outcome: Outcome) -> None:
        """The process ends: what still waits is looked for once more."""
        self._have_all(Joining.end)

    def forget(self) -> None:
        """In a forked child, where all begins anew by itself."""

    def _have(self, act: Callable[[Joining], None]) -> None:
        given = runtime.current().settings.delivery_store
        if given is None:
            self._do(act, self._memory)
            if self._given is not None:  # By another `instrument`.
                self._later(lambda _: None, lambda: self._joining_by(None))
        else:
            self._later(act, lambda: self._joining_by(given))

    def _have_all(self, act: Callable[[Joining], None]) -> None:
        """All the stores in which something may wait."""
        self._do(act, self._memory)
        if self._joining is not self._memory or self._last is not None:
            self._later(act, lambda: self._joining)

    def _later(self, act: Callable[[Joining], None], joining: Callable[[], Joining]) -> None:
        """On the thread of the store."""
        turn = object()
        with self._watching:
            self._last = turn
            watcher.add(self)
        self._background.call(lambda _: self._do(act, joining(), turn), None)

    def _do(self, act: Callable[[Joining], None], joining: Joining, turn: object = None) -> None:
        """And be watched as long as something waits: also for its turn on that thread, since it is
        to be looked for again if the process ends now.
        """
        act(joining)
        with self._watching:
            if self._last is turn:
                self._last = None
            if self._last is not None or self._memory.early or self._joining.early:
                watcher.add(self)
            else:
                watcher.remove(self)

    def _next_look(self) -> float:
        return min(self._memory.early.next_look(), self._joining.early.next_look())

    def _joining_by(self, given: object) -> Joining:
        """On the thread of the store only."""
        if given is not self._given:
            self._close()
            self._given, self._joining = given, self._memory  # Also if it cannot be opened.
            with guard("opening the delivery store"):
                if given is not None:
                    self._joining = Joining(_opened(given), self.clock)
        return self._joining

    def _close(self) -> None:
        """What we have opened we close."""
        if self._joining is not self._memory:
            self._joining.end()
        with guard("closing the delivery store"):
            if isinstance(self._given, str) and self._joining is not self._memory:
                cast("SQLStore", self._joining.store).close()

    def _dropped(self) -> None:
        self._last = None
        with guard("counting dropped receipts"):
            reason = {semconv.DROP_REASON: "receipts"}
            runtime.current().instruments.dropped.add(1, reason)

    def _start_anew(self) -> None:
        """At first, and in a forked child, where nothing waits."""
        self._watching = Lock()
        self._last = None


def _opened(given: object) -> DeliveryStore:
    if not isinstance(given, str):
        return cast(DeliveryStore, given)
    from otel_stream.delivery.sql import SQLStore

    return SQLStore(given)


receipts = Receipts()
"""The process's only ones."""

runtime.finishing.append(receipts.drain)
