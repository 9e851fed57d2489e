"""Messages on their way, in memory."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from otel_stream.delivery.sent import Sent
from otel_stream.delivery.status import Status
from otel_stream.fork import call_in_child

__all__ = ["MemoryStore"]

_KEPT = 100_000


class MemoryStore:
    """The newest messages by id; the oldest make room.

    Args:
        size: Messages kept. One takes about 500 bytes.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._size = size
        self._kept: OrderedDict[str, tuple[Sent, set[Status]]] = OrderedDict()
        self._unlock()
        call_in_child(self._unlock)

    def put(self, message_id: str, sent: Sent) -> None:
        """Keep a message, unless it is kept already."""
        with self._lock:
            if message_id not in self._kept:
                self._kept[message_id] = (sent, set())
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def find(self, message_id: str) -> Sent | None:
        """The message with this id, if it is kept."""
        kept = self._kept.get(message_id)
        return None if kept is None else kept[0]

    def mark(self, message_id: str, status: Status) -> bool:
        """Whether `status` is news of a message that is kept."""
        with self._lock:
            kept = self._kept.get(message_id)
            if kept is None or status in kept[1]:
                return False
            kept[1].add(status)
            return True

    def __len__(self) -> int:
        return len(self._kept)

    def _unlock(self) -> None:
        """At first, and in a forked child: who held the lock is not there."""
        self._lock = Lock()
