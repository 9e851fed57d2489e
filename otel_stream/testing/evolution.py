"""A fake Evolution API (WhatsApp) on loopback.

    with EvolutionServer(delay=0.05) as evolution:
        requests.post(
            f"{evolution.url}/message/sendText/bot",
            headers={"apikey": evolution.api_key},
            json={"number": "5511999990000", "text": "Hello"},
        )
        assert evolution.texts == ["Hello"]

It answers what a bot calls, in the shapes of Evolution API 2: the `message/send…` paths,
`chat/sendPresence`, `chat/fetchProfile`; 401 for another key, 404 for another instance.
"""

from __future__ import annotations

import itertools
import time
from typing import Any
from urllib.parse import unquote

from otel_stream.testing.messaging import AcceptedMessage, MessagingServer, Presence
from otel_stream.testing.request import Request
from otel_stream.testing.script import Script

__all__ = ["EvolutionServer"]

_KINDS = {
    "sendText": "text",
    "sendMedia": "media",
    "sendPtv": "media",
    "sendWhatsAppAudio": "audio",
    "sendSticker": "sticker",
    "sendContact": "contact",
    "sendReaction": "reaction",
    "sendLocation": "location",
    "sendPoll": "poll",
    "sendList": "list",
    "sendButtons": "buttons",
    "sendStatus": "status",
}
_REASONS = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error"}


class EvolutionServer(MessagingServer):
    """A server with one instance. How it treats messages: see `MessagingServer`.

    Args:
        instance: The instance's name.
        api_key: What the header `apikey` must hold.
        delay: How long each reply takes (s).
    """

    def __init__(
        self, instance: str = "bot", api_key: str = "test-key", delay: float = 0.0
    ) -> None:
        super().__init__(delay)
        self.instance = instance
        self.api_key = api_key
        self._ids = itertools.count(1)

    def _handle(self, request: Request) -> Script:
        parts = request.path.strip("/").split("/")
        if request.headers.get("apikey") != self.api_key:
            return Script.json(self._problem(401, "Unauthorized"), 401)
        if len(parts) != 3 or unquote(parts[2]) != self.instance:
            name = unquote(parts[-1])
            return Script.json(
                self._problem(404, f'The "{name}" instance does not exist'), 404, self.delay
            )
        group, action, _ = parts
        if group == "chat":
            return self._chat(action, request.json)
        if group == "message" and action in _KINDS:
            return self._take(self._message(_KINDS[action], request.json))
        return Script.json(self._problem(404, f"Cannot POST {request.path}"), 404, self.delay)

    def _chat(self, action: str, asked: dict[str, Any]) -> Script:
        if action == "sendPresence":
            shown = str(asked.get("presence"))
            self.presences.append(Presence(str(asked.get("number")), shown, asked))
            return Script.json({"presence": shown}, 201, self.delay)
        number = str(asked.get("number"))
        return Script.json(
            {"wuid": f"{number}@s.whatsapp.net", "name": "Somebody", "numberExists": True},
            200,
            self.delay,
        )

    def _message(self, kind: str, asked: dict[str, Any]) -> AcceptedMessage:
        key = asked.get("key") or {}
        number = str(asked.get("number") or key.get("remoteJid") or "").partition("@")[0]
        text = str(asked.get("text") or asked.get("caption") or "")
        return AcceptedMessage(f"BAE5{next(self._ids):012X}", number, text, kind, asked)

    def _reply(self, message: AcceptedMessage) -> tuple[int, Any]:
        quoted = message.payload.get("quoted")
        return 201, {
            "key": {
                "remoteJid": f"{message.number}@s.whatsapp.net",
                "fromMe": True,
                "id": message.id,
            },
            "pushName": "",
            "status": "PENDING",
            "message": {"conversation": message.text},
            "contextInfo": {"quotedMessage": quoted.get("message")} if quoted else None,
            "messageType": "conversation",
            "messageTimestamp": int(time.time()),
            "instanceId": "00000000-0000-4000-8000-000000000000",
            "source": "unknown",
        }

    def _problem(self, status: int, message: str) -> Any:
        return {
            "status": status,
            "error": _REASONS.get(status, "Error"),
            "response": {"message": [message]},
        }
