"""A person who asks over WhatsApp, and their phone, which says what became of the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

from otel_stream.testing import EvolutionServer, Script
from otel_stream.testing.request import Request

__all__ = ["JID", "KEY", "NAME", "NUMBER", "QUESTION", "Phone"]

NAME = "Marina Queiroz"
NUMBER = "5581987650001"
JID = f"{NUMBER}@s.whatsapp.net"
KEY = "2F6C9A41-DEMO-APIKEY-7B1D"
"""Of the channel's instance; Evolution API writes it into each webhook."""
QUESTION = "Is Saturday good for the beach in Olinda? We come with two children."

ARRIVES, LOOKED_AT = 0.4, 0.85
"""Seconds until a message that was accepted is on the phone, and is read."""

Webhook = Callable[[dict[str, Any]], None]


class Phone:
    """Behind the Evolution API server, whose messages and presences it shows.

    Args:
        server: The server.
        webhook: Where the server posts.
        tell: Told what the person sees and does.
    """

    def __init__(
        self, server: EvolutionServer, webhook: Webhook, tell: Callable[[str], None]
    ) -> None:
        self._server, self._webhook, self._tell = server, webhook, tell
        self._handle = cast(Callable[[Request], Script], server.handler)
        self._messages = self._presences = 0
        self._unread = threading.Semaphore(0)
        server.handler = self._asked

    def ask(self, text: str) -> None:
        """Write to the service."""
        self._tell(f'asks "{text}"')
        key = {"remoteJid": JID, "fromMe": False, "id": "3EB0C431F4A07B"}
        content = {"conversation": text}
        data = {"key": key, "pushName": NAME, "message": content, "messageType": "conversation"}
        self._post("messages.upsert", data)

    def reads(self, messages: int, timeout: float) -> bool:
        """Wait until so many have been read. Returns whether they were."""
        return all([self._unread.acquire(timeout=timeout) for _ in range(messages)])

    def _asked(self, request: Request) -> Script:
        """In the server's thread: have it treat the request, and look what the phone shows."""
        script = self._handle(request)
        presences, messages = self._server.presences, self._server.messages
        for presence in presences[self._presences :]:
            if presence.shown == "composing":
                self._tell("sees typing")
        for message in messages[self._messages :]:
            number = len(messages)
            for after, status in ((ARRIVES, "DELIVERY_ACK"), (LOOKED_AT, "READ")):
                given = [message.id, message.text, number, status]
                self._soon(after, given)
        if request.path.startswith("/message/") and len(messages) == self._messages:
            self._tell(f"would get message {len(messages) + 1}: the channel is busy")
        self._presences, self._messages = len(presences), len(messages)
        return script

    def _soon(self, after: float, given: list[Any]) -> None:
        timer = threading.Timer(after, self._says, given)
        timer.daemon = True
        timer.start()

    def _says(self, message_id: str, text: str, number: int, status: str) -> None:
        if status == "READ":
            self._tell(f"has read message {number}")
        else:
            self._tell(f'gets message {number}: "{text}"')
        data = {"keyId": message_id, "remoteJid": JID, "fromMe": True, "status": status}
        self._post("messages.update", data)
        if status == "READ":
            self._unread.release()

    def _post(self, event: str, data: dict[str, Any]) -> None:
        instance = self._server.instance
        self._webhook(
            {"event": event, "instance": instance, "data": data, "sender": JID, "apikey": KEY}
        )
