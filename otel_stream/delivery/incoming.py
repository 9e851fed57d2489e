"""A person's message, read from the webhook that brings it: Evolution API, or WhatsApp Cloud API.

Shapes: Evolution API v1 and v2 (`messages.upsert`), and Meta's `whatsapp_business_account` object.
Nothing is looked for in texts: what kind a message is, its own fields say. Never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from otel_stream.delivery.entries import Entries, entries_of, short

__all__ = ["CLOUD_KINDS", "Incoming", "incoming_of"]

_KINDS = {
    "conversation": "text",
    "extendedTextMessage": "text",
    "buttonsResponseMessage": "text",
    "listResponseMessage": "text",
    "templateButtonReplyMessage": "text",
    "imageMessage": "media",
    "videoMessage": "media",
    "ptvMessage": "media",
    "documentMessage": "media",
    "documentWithCaptionMessage": "media",
    "audioMessage": "audio",
    "stickerMessage": "sticker",
    "contactMessage": "contact",
    "contactsArrayMessage": "contact",
    "reactionMessage": "reaction",
    "locationMessage": "location",
    "liveLocationMessage": "location",
}
_WRAPPERS = ("ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2")
_SAYS_NOTHING = {
    "protocolMessage",  # deletes or edits what was sent before
    "editedMessage",
    "messageContextInfo",
    "senderKeyDistributionMessage",
}
"""A message with nothing but these asks for no answer."""
_NOT_PEOPLE = ("@broadcast", "@newsletter")
_THEIR_NAMES = ("remoteJid", "remoteJidAlt", "senderPn")
_THEIR_NAMES_IN_A_GROUP = ("participant", "participantAlt", "participantPn")
"""Newer versions name some people by an id that is no number, and tell the number beside it."""
_NO_NUMBER = "@lid"
_MOST_PARTS = 32
"""Parts of a message among which its kind is looked for."""
CLOUD_KINDS = {"image": "media", "video": "media", "document": "media", "contacts": "contact"}
"""What we call the Cloud API's types of messages, where not as it does."""
_CLOUD_TYPES = frozenset(
    ("text", "image", "video", "document", "audio", "sticker", "reaction", "location", "contacts",
     "order", "interactive", "button", "system", "request_welcome", "edit", "revoke",
     "unsupported", "unknown")
)  # fmt: skip


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a person has sent.

    Attributes:
        sender: Number or JID of who sent it, in the clear: never for a signal. The number, where
            the webhook tells it.
        chat: Numbers or JIDs that the answer may go to: the sender's, or the group's.
        message_id: As the channel gave it.
        instance: The channel's instance that received it; on the Cloud API the id of the number.
        kind: `text`, `media`, `audio`, …
        text: What it says, if it is a text.
    """

    sender: str
    message_id: str
    chat: tuple[str, ...] = ()
    instance: str = ""
    kind: str = "text"
    text: str = ""


def incoming_of(body: object) -> list[Incoming]:
    """The messages that people have sent with this webhook; none for any other webhook."""
    entries = entries_of(body)
    found = [*_of_evolution(entries), *_of_cloud(entries)]
    return [message for message in found if message is not None]


def _of_evolution(entries: Entries) -> Iterator[Incoming | None]:
    if entries.event == "messages.upsert":
        for record in entries.records:
            yield _evolution_message(record, entries.instance)


def _evolution_message(record: dict[str, Any], instance: str) -> Incoming | None:
    key = record.get("key")
    if not isinstance(key, dict) or key.get("fromMe") or not short(key.get("id")):
        return None
    where = short(key.get("remoteJid"))
    if where.endswith(_NOT_PEOPLE):
        return None
    content = _unwrapped(record.get("message"))
    if record.get("messageStubType") or content.keys() <= _SAYS_NOTHING:
        return None
    text = content.get("conversation") or _get(content.get("extendedTextMessage"), "text")
    alone = not where.endswith("@g.us")
    given = [short(key.get(name)) for name in (_THEIR_NAMES if alone else _THEIR_NAMES_IN_A_GROUP)]
    names = tuple(name for name in given if name)
    numbers = (name for name in names if not name.endswith(_NO_NUMBER))
    return Incoming(
        sender=next(numbers, names[0] if names else where),
        message_id=key["id"],
        chat=names if alone else (where,),
        instance=instance,
        kind=_kind(record.get("messageType"), content),
        text=_text(text),
    )


def _unwrapped(message: Any) -> dict[str, Any]:
    """What a person has said, taken out of what WhatsApp puts around it."""
    for _ in range(4):
        wrapped = [_get(message, name) for name in _WRAPPERS]
        inner = next((each["message"] for each in wrapped if _get(each, "message")), None)
        if inner is None:
            break
        message = inner
    return message if isinstance(message, dict) else {}


def _kind(named: Any, content: dict[str, Any]) -> str:
    names = (short(named), *islice(content, _MOST_PARTS))
    return next((_KINDS[name] for name in names if name in _KINDS), "other")


def _of_cloud(entries: Entries) -> Iterator[Incoming | None]:
    for message, number in entries.messages:
        identity = short(message.get("id"))
        if not identity:
            continue
        kind = short(message.get("type"))
        sender = short(message.get("from"))
        yield Incoming(
            sender=sender,
            message_id=identity,
            chat=(sender,) if sender else (),
            instance=number,
            kind=CLOUD_KINDS.get(kind, kind) if kind in _CLOUD_TYPES else "other",
            text=_text(_get(message.get("text"), "body")),
        )


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
