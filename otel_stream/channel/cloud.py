"""WhatsApp through Meta's Cloud API, with pywa.

https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from otel_stream.channel.channel import ChannelError
from otel_stream.channel.judgement import refusal
from otel_stream.delivery.tracker import tracker_of
from otel_stream.errors import MissingExtraError, guard

if TYPE_CHECKING:
    from pywa_async.client import WhatsApp

__all__ = ["CloudChannel"]

_TYPING_LASTS = 25.0
_LATER = {4, 80007, 130429, 131056}
"""Codes of limits of speed: the message was not taken, and will be later."""


class CloudChannel:
    """A channel through one number of the Cloud API.

    Its messages carry a tracker, so that their statuses find their trace without a store.

    Args:
        client: An async client of pywa (`pywa_async.WhatsApp`).
        message_id: The person's message that is answered. Typing is shown only if it is given: the
            API shows it by marking that message as read, for at most 25 seconds.
        sender: The phone id to send from; by default the client's.

    Raises:
        MissingExtraError: pywa is not installed.
        TypeError: *client* is no `pywa_async.WhatsApp`.
    """

    system = "whatsapp"
    server_address = "graph.facebook.com"
    server_port = 443

    def __init__(
        self, client: WhatsApp, *, message_id: str | None = None, sender: str | None = None
    ) -> None:
        try:
            from pywa_async.client import WhatsApp
        except ImportError:
            raise MissingExtraError("CloudChannel needs: pip install 'otel-stream[pywa]'") from None
        if not isinstance(client, WhatsApp):
            raise TypeError(f"a pywa_async.WhatsApp is needed, not {type(client).__name__}")
        self._client = client
        self._message_id = message_id
        self.typing_lasts = 0.0 if message_id is None else _TYPING_LASTS
        self._sender: dict[str, Any] = {"sender": sender} if sender else {}

    async def send(self, recipient: str, text: str) -> str | None:
        """Send a text. Returns its id.

        Raises:
            ChannelError: It was not accepted, or nobody knows.
            httpx.TransportError: There was no reply.
        """
        from pywa.errors import WhatsAppError

        tracker: dict[str, Any] = {}
        with guard("making a tracker"):
            found = tracker_of(otel_context.get_current())
            tracker = {"tracker": found} if found else {}
        try:
            sent = await self._client.send_message(recipient, text, **tracker, **self._sender)
        except WhatsAppError as error:
            raise _refused(error) from error
        return str(getattr(sent, "id", sent)) or None

    async def typing(self, recipient: str, lasts: float) -> None:
        """Show that somebody types, if a message to mark as read is known."""
        if lasts and self._message_id is not None:
            await self._client.indicate_typing(self._message_id, **self._sender)


def _refused(error: Any) -> ChannelError:
    response = error.raw_response
    status = 400 if response is None else response.status_code
    if error.code in _LATER:
        status = 429
    return refusal(status, getattr(response, "headers", None), code=str(error.code))
