"""What is ready to be sent, between the task that reads a stream and the one that sends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from otel_stream.channel.cut import Piece
from otel_stream.channel.result import MessageResult

__all__ = ["Backlog", "Ready"]


class Ready(NamedTuple):
    """A message that can be sent."""

    piece: Piece
    result: MessageResult


class Backlog:
    """A queue with a bound in characters. One task puts, one takes.

    Args:
        size: How many characters may wait; one message may, however long it is.
        clock: Monotonic seconds.
    """

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._items: deque[Ready] = deque()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self.held = 0
        """Characters that wait, those of the message that is being sent among them."""
        self.open = True
        """Whether more may come."""
        self.pressure = 0.0
        """Seconds that `put` has waited for room."""

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items

    async def put(self, ready: Ready) -> None:
        """Add *ready*, once there is room for it."""
        size = len(ready.piece.text)
        if self.held and self.held + size > self._size:
            since = self._clock()
            try:
                while self.held and self.held + size > self._size:
                    self._emptied.clear()
                    await self._emptied.wait()
            finally:
                self.pressure += self._clock() - since
        self.add(ready)

    def add(self, ready: Ready) -> None:
        """Add *ready*, room or not: what a stream has left at its end, which was held before."""
        self.held += len(ready.piece.text)
        self._items.append(ready)
        self._filled.set()

    def close(self) -> None:
        """Nothing more comes."""
        self.open = False
        self._filled.set()

    async def take(self) -> Ready | None:
        """The next message, once there is one; None if nothing more comes."""
        while not self._items:
            if not self.open:
                return None
            self._filled.clear()
            await self._filled.wait()
        return self._items.popleft()

    def done(self, ready: Ready) -> None:
        """It was sent, or given up."""
        self.held -= len(ready.piece.text)
        self._emptied.set()
