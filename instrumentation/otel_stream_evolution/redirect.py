"""A message that the server sends elsewhere: its next request, in that task, is the same send."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

from otel_stream.delivery.send import Message, Send
from otel_stream.outcome import Outcome
from otel_stream.watcher import watcher

__all__ = ["REDIRECTS", "expect", "redirected"]

REDIRECTS = frozenset({307, 308})
"""Those that a POST goes on as a POST after. After any other it is no message any more."""
_PATIENCE = 1.0


class _Elsewhere:
    """A send between two hops. Where nobody follows, it has failed."""

    def __init__(self, send: Send, message: Message, status: int) -> None:
        self.clock: Callable[[], float] = time.perf_counter
        self.send = send
        self.message = message
        self._status = status
        self._until = self.clock() + _PATIENCE

    def follows(self, message: Message) -> bool:
        """Whether `message` is the same one, and nobody has given up waiting for it."""
        watcher.remove(self)
        if _same(message, self.message) and not self.send.ended:
            return True
        self._fail()
        return False

    def check(self, now: float) -> float:
        """Look at it from outside, at `now`. Returns when to look again (s)."""
        if now >= self._until:
            watcher.remove(self)
            self._fail()
        return self._until

    def drop(self, outcome: Outcome) -> None:
        """The process ends."""
        self._fail()

    def forget(self) -> None:
        """It is the parent process's."""
        self.send.forget()

    def _fail(self) -> None:
        self.send.failed(code=str(self._status), status=self._status)


_expected: ContextVar[_Elsewhere | None] = ContextVar(
    "otel_stream_evolution-elsewhere", default=None
)


def expect(send: Send, message: Message, status: int) -> None:
    """The server has said that `message` is to go elsewhere."""
    waiting = _Elsewhere(send, message, status)
    _expected.set(waiting)
    watcher.add(waiting)


def redirected(message: Message) -> tuple[Send, Message] | None:
    """The send that goes on with this message, and what it sends, if this is its next hop."""
    waiting = _expected.get()
    if waiting is None:
        return None
    _expected.set(None)
    return (waiting.send, waiting.message) if waiting.follows(message) else None


def _same(message: Message, before: Message) -> bool:
    """Whether that is the same message. Some libraries do not show the body again."""
    if (message.kind, message.instance) != (before.kind, before.instance):
        return False
    unseen = not message.recipient and message.text is None
    return unseen or (message.recipient, message.text) == (before.recipient, before.text)
