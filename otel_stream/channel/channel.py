"""What a channel is: something that takes a text for a person. Write your own with three names."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from otel_stream.errors import OtelStreamError

__all__ = ["Channel", "ChannelError"]


class ChannelError(OtelStreamError):
    """A channel did not take a message.

    Args:
        message: Why; nothing personal.
        retry: The message has certainly not been accepted, and may be if it is sent again.
        unknown: Nobody knows whether it has been accepted. It is not sent again: the person might
            get it twice.
        after: Seconds to wait before it is sent again, if the channel says so.
        code: The channel's own word for why.
        status: The HTTP status of the refusal.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool = False,
        unknown: bool = False,
        after: float | None = None,
        code: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.retry = retry and not unknown
        self.unknown = unknown
        self.after = after
        self.code = code
        self.status = status


@runtime_checkable
class Channel(Protocol):
    """A way to a person. Its methods are called from one task at a time for each answer.

    Attributes named `instance` (str), `server_address` (str) and `server_port` (int) are written on
    the spans of messages, if the channel has them. `typing_lasts` says for how long typing is shown
    with one call (s, 10 without it); 0 if it cannot be shown.
    """

    @property
    def system(self) -> str:
        """The channel's kind, such as `whatsapp`: `messaging.system` of its spans."""
        ...

    async def send(self, recipient: str, text: str, /) -> str | None:
        """Send *text* to *recipient*. Must not block the loop.

        Returns:
            The message's id, if the channel gives one. To return is to say that it was accepted.

        Raises:
            ChannelError: It was not, or nobody knows. Any other exception is judged by its kind:
                it is sent again only where no connection was made.
        """
        ...

    async def typing(self, recipient: str, lasts: float, /) -> None:
        """Show *recipient* for *lasts* seconds that somebody types; with 0 show it no more.

        It may take that long, is cancelled when a message is sent, and may raise: typing is a
        courtesy, and nothing depends on it.
        """
        ...
