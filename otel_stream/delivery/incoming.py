"""A person's message, read from the webhook that brings it: Evolution API, or WhatsApp Cloud API.

Shapes: Evolution API v1 and v2 (`messages.upsert`), and Meta's `whatsapp_business_account` object.
Nothing is looked for in texts: what kind a message is, its own fields say. Never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["CLOUD_KINDS", "Incoming", "changes_of", "event_of", "incoming_of", "records_of"]

_LARGEST = 1_000
"""Entries of one webhook that are looked at."""
_KINDS = {
    "conversation": "text",
    "extendedTextMessage": "text",
    "imageMessage": "media",
    "videoMessage": "media",
    "documentMessage": "media",
    "documentWithCaptionMessage": "media",
    "audioMessage": "audio",
    "stickerMessage": "sticker",
    "contactMessage": "contact",
    "contactsArrayMessage": "contact",
    "reactionMessage": "reaction",
    "locationMessage": "location",
}
CLOUD_KINDS = {"image": "media", "video": "media", "document": "media", "contacts": "contact"}
"""What we call the Cloud API's types of messages, where not as it does."""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a person has sent.

    Attributes:
        sender: Number or JID of who sent it, in the clear: never for a signal.
        message_id: As the channel gave it.
        instance: The channel's instance that received it, if it has instances.
        kind: `text`, `media`, `audio`, …
        text: What it says, if it is a text.
    """

    sender: str
    message_id: str
    instance: str = ""
    kind: str = "text"
    text: str = ""


def incoming_of(body: object) -> list[Incoming]:
    """The messages that people have sent with this webhook; none for any other webhook."""
    found = [*_of_evolution(body), *_of_cloud(body)]
    return [message for message in found if message is not None]


def event_of(body: object) -> str:
    """The name of Evolution's event, written the one way: `messages.upsert`."""
    name = body.get("event") if isinstance(body, dict) else None
    return name.lower().replace("_", ".") if isinstance(name, str) else ""


def records_of(body: Any) -> Iterator[dict[str, Any]]:
    """What Evolution's webhook brings: `data`, a list in it, or what is wrapped in either."""
    waiting = [body.get("data")] if isinstance(body, dict) else []
    for _ in range(_LARGEST):
        if not waiting:
            return
        data = waiting.pop(0)
        if isinstance(data, list):
            waiting[:0] = data[:_LARGEST]
        elif isinstance(data, dict):
            inner = data.get("messages") or data.get("data")
            if isinstance(inner, (list, dict)) and "key" not in data:
                waiting.insert(0, inner)
            else:
                yield data


def changes_of(body: Any, field: str) -> Iterator[dict[str, Any]]:
    """The entries of a Cloud API webhook under `field`: `messages` or `statuses`."""
    for entry in _dicts(_get(body, "entry")):
        for change in _dicts(entry.get("changes")):
            yield from _dicts(_get(change.get("value"), field))


def _of_evolution(body: Any) -> Iterator[Incoming | None]:
    if event_of(body) != "messages.upsert":
        return
    instance = body.get("instance")
    for record in records_of(body):
        yield _evolution_message(record, instance if isinstance(instance, str) else "")


def _evolution_message(record: dict[str, Any], instance: str) -> Incoming | None:
    key = record.get("key")
    if not isinstance(key, dict) or key.get("fromMe") or not isinstance(key.get("id"), str):
        return None
    message = record.get("message")
    content = message if isinstance(message, dict) else {}
    named = record.get("messageType")
    kind = next((_KINDS[name] for name in (named, *content) if name in _KINDS), "other")
    text = content.get("conversation") or _get(content.get("extendedTextMessage"), "text")
    return Incoming(
        sender=_text(key.get("remoteJid")),
        message_id=key["id"],
        instance=instance,
        kind=kind,
        text=_text(text),
    )


def _of_cloud(body: Any) -> Iterator[Incoming | None]:
    for message in changes_of(body, "messages"):
        if not isinstance(message.get("id"), str):
            continue
        kind = _text(message.get("type")) or "other"
        yield Incoming(
            sender=_text(message.get("from")),
            message_id=message["id"],
            kind=CLOUD_KINDS.get(kind, kind),
            text=_text(_get(message.get("text"), "body")),
        )


def _dicts(values: Any) -> Iterator[dict[str, Any]]:
    listed = values if isinstance(values, list) else []
    return (value for value in listed[:_LARGEST] if isinstance(value, dict))


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
