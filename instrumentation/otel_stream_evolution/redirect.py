"""A message that the server sends elsewhere: its next request, in that task, is the same send."""

from __future__ import annotations

from contextvars import ContextVar

from otel_stream.delivery.send import Message, Send
from otel_stream.http.redirect import Elsewhere

__all__ = ["expect", "redirected"]


class _Elsewhere(Elsewhere):
    """A send between two hops."""

    def __init__(self, send: Send, message: Message, status: int) -> None:
        self.send = send
        self.message = message
        self._status = status
        super().__init__()

    def follows(self, message: Message) -> bool:
        """Whether `message` is the same one, and nobody has given up waiting for it."""
        self.arrived()
        if _same(message, self.message) and not self.send.ended:
            return True
        self.failed()
        return False

    def failed(self) -> None:
        """Nobody has followed."""
        self.send.failed(code=str(self._status), status=self._status)

    def forget(self) -> None:
        """It is the parent process's."""
        self.send.forget()


_expected: ContextVar[_Elsewhere | None] = ContextVar(
    "otel_stream_evolution-elsewhere", default=None
)


def expect(send: Send, message: Message, status: int) -> None:
    """The server has said that `message` is to go elsewhere."""
    _expected.set(_Elsewhere(send, message, status))


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
