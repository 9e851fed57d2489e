"""A fake WhatsApp Cloud API (Meta's Graph API) on loopback.

    with CloudServer() as cloud:
        session = httpx.AsyncClient()
        client = pywa_async.WhatsApp(cloud.phone_id, cloud.token, session=session)
        session.base_url = cloud.graph_url  # pywa sets it to Meta's
        await client.send_message("5511999990000", "Hello")
        assert cloud.texts == ["Hello"]

Trackers (`biz_opaque_callback_data`) are in `AcceptedMessage.payload`.
"""

from __future__ import annotations

import itertools
from typing import Any

from otel_stream.testing.messaging import AcceptedMessage, MessagingServer, Presence
from otel_stream.testing.request import Request
from otel_stream.testing.script import Script

__all__ = ["CloudServer"]

_CODES = {400: 100, 401: 190, 403: 10, 404: 100, 429: 130429, 500: 131000, 503: 131016}


class CloudServer(MessagingServer):
    """A server with one phone number. How it treats messages: see `MessagingServer`.

    Args:
        phone_id: The id of the number that sends.
        token: What must be in the header `Authorization`.
        delay: How long each reply takes (s).
    """

    def __init__(
        self,
        phone_id: str = "100000000000001",
        token: str = "test-token",  # noqa: S107 - a test's
        delay: float = 0.0,
    ) -> None:
        super().__init__(delay)
        self.phone_id = phone_id
        self.token = token
        self._ids = itertools.count(1)

    @property
    def graph_url(self) -> str:
        """The `base_url` for a client."""
        return f"{self.url}/v26.0"

    def _handle(self, request: Request) -> Script:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Script.json(self._problem(401, "Invalid OAuth access token"), 401)
        if not request.path.endswith(f"/{self.phone_id}/messages"):
            problem = self._problem(404, "Unsupported post request")
            return Script.json(problem, 404, self.delay)
        asked = request.json
        if asked.get("status") == "read":
            shown = "typing" if "typing_indicator" in asked else "read"
            self.presences.append(Presence(str(asked.get("message_id")), shown, asked))
            return Script.json({"success": True}, 200, self.delay)
        return self._take(self._message(asked))

    def _message(self, asked: dict[str, Any]) -> AcceptedMessage:
        kind = str(asked.get("type", "text"))
        content = asked.get(kind)
        found = content if isinstance(content, dict) else {}
        text = str(found.get("body") or found.get("caption") or "")
        number = str(asked.get("to") or asked.get("recipient") or "")
        return AcceptedMessage(f"wamid.TEST{next(self._ids):08X}", number, text, kind, asked)

    def _reply(self, message: AcceptedMessage) -> tuple[int, Any]:
        return 200, {
            "messaging_product": "whatsapp",
            "contacts": [{"input": message.number, "wa_id": message.number}],
            "messages": [{"id": message.id, "message_status": "accepted"}],
        }

    def _problem(self, status: int, message: str) -> Any:
        return {
            "error": {
                "message": f"(#{_CODES.get(status, 1)}) {message}",
                "type": "OAuthException",
                "code": _CODES.get(status, 1),
                "error_data": {"messaging_product": "whatsapp", "details": message},
                "fbtrace_id": "TEST",
            }
        }
