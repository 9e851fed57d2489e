"""Which of Evolution's calls a path is: by its end, so that a server may stand behind a prefix."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

__all__ = ["PRESENCE", "Endpoint", "endpoint_of"]

PRESENCE = "presence"

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
    "sendTemplate": "template",
    "sendStatus": "status",
}


class Endpoint(NamedTuple):
    """One call of an instance.

    Attributes:
        kind: What is sent, or `PRESENCE`.
        instance: The instance's name.
    """

    kind: str
    instance: str


def endpoint_of(path: str) -> Endpoint | None:
    """The call at this path, percent-encoded as on the wire; None for all that is not ours."""
    if "/send" not in path:  # Every request of the program passes here.
        return None
    *_, group, action, instance = ("", "", *path.rstrip("/").split("/"))
    if group == "message" and action in _KINDS:
        return Endpoint(_KINDS[action], unquote(instance))
    if group == "chat" and action == "sendPresence":
        return Endpoint(PRESENCE, unquote(instance))
    return None
