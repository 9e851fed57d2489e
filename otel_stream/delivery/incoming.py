"""A person's message, read from the webhook that brings it: Evolution API, or WhatsApp Cloud API.

Shapes: Evolution API v1 and v2 (`messages.upsert`), and Meta's `whatsapp_business_account` object.
Nothing is looked for in texts: what kind a message is, its own fields say. Never raises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from otel_stream.delivery.identity import word

__all__ = ["CLOUD_KINDS", "Incoming", "changes_of", "event_of", "incoming_of", "records_of"]

_LARGEST = 1_000
"""Entries of one webhook that are looked at."""
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
_OTHER_NAMES = ("remoteJidAlt", "senderPn")
"""Keys under which newer versions tell the number of somebody whose JID is not their number."""
CLOUD_KINDS = {"image": "media", "video": "media", "document": "media", "contacts": "contact"}
"""What we call the Cloud API's types of messages, where not as it does."""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a person has sent.

    Attributes:
        sender: Number or JID of who sent it, in the clear: never for a signal.
        chat: Numbers or JIDs that the answer may go to: the sender's, or the group's.
        message_id: As the channel gave it.
        instance: The channel's instance that received it, if it has instances.
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
    found = [*_of_evolution(body), *_of_cloud(body)]
    return [message for message in found if message is not None]


def event_of(body: object) -> str:
    """The name of Evolution's event, written the one way: `messages.upsert`."""
    name = body.get("event") if isinstance(body, dict) else None
    return name.lower().replace("_", ".") if isinstance(name, str) else ""


def records_of(body: Any) -> Iterator[dict[str, Any]]:
    """What Evolution's webhook brings: `data`, a list in it, or what is wrapped in either."""
    waiting = deque([body.get("data")] if isinstance(body, dict) else [])
    for _ in range(_LARGEST):
        if not waiting:
            return
        data = waiting.popleft()
        if isinstance(data, list):
            waiting.extendleft(reversed(data[: _LARGEST - len(waiting)]))
        elif isinstance(data, dict):
            inner = data.get("messages") or data.get("data")
            if isinstance(inner, (list, dict)) and "key" not in data:
                waiting.appendleft(inner)
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
    where = _text(key.get("remoteJid"))
    if where.endswith(_NOT_PEOPLE):
        return None
    content = _unwrapped(record.get("message"))
    if record.get("messageStubType") or content.keys() <= _SAYS_NOTHING:
        return None
    text = content.get("conversation") or _get(content.get("extendedTextMessage"), "text")
    alone = not where.endswith("@g.us")
    others = [_text(key.get(name)) for name in _OTHER_NAMES if alone]
    return Incoming(
        sender=where if alone else _text(key.get("participant")) or where,
        message_id=key["id"],
        chat=tuple(name for name in (where, *others) if name),
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
    names = (_text(named), *content)
    return next((_KINDS[name] for name in names if name in _KINDS), "other")


def _of_cloud(body: Any) -> Iterator[Incoming | None]:
    for message in changes_of(body, "messages"):
        if not isinstance(message.get("id"), str):
            continue
        kind = word(message.get("type")) or "other"
        sender = _text(message.get("from"))
        yield Incoming(
            sender=sender,
            message_id=message["id"],
            chat=(sender,) if sender else (),
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
