"""What a channel says later of a message that it accepted, read from its webhooks.

Shapes: Evolution API `messages.update` (words, or the numbers of Baileys' `WAMessageStatus`), and
the Cloud API's `statuses`. Never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from otel_stream.delivery.entries import Entries, entries_of, short

__all__ = ["Status", "Told", "statuses_of"]

_LONGEST_TIME = 32
_CODES = 10**9
"""Meta's codes have up to seven digits; more would be a place for somebody's number."""


class Status(StrEnum):
    """How far a message has come. `read` implies what stands before it, `failed` ends it."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


_WORDS = {
    "server_ack": Status.SENT,
    "sent": Status.SENT,
    "delivery_ack": Status.DELIVERED,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,
    "error": Status.FAILED,
    "failed": Status.FAILED,
}
_NUMBERS = {0: Status.FAILED, 2: Status.SENT, 3: Status.DELIVERED, 4: Status.READ, 5: Status.READ}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One status of one message.

    Attributes:
        message_id: Of the message, as the channel gave it when it accepted it.
        status: Never `ACCEPTED`: that the reply to the send has said.
        at: When, by the channel's clock (Unix seconds, often whole ones); None if it does not say.
        code: Why it failed, in the channel's words or numbers.
        tracker: What the message carried, where the channel gives that back (Cloud API).
        recipient: Number or JID of who it was for, in the clear: never for a signal.
    """

    message_id: str
    status: Status
    at: float | None = None
    code: str = ""
    tracker: str = ""
    recipient: str = ""


def statuses_of(body: object) -> list[Told]:
    """The statuses that this webhook tells, in its order; none for any other webhook."""
    entries = entries_of(body)
    return [told for told in (*_of_evolution(entries), *_of_cloud(entries)) if told is not None]


def _of_evolution(entries: Entries) -> Iterator[Told | None]:
    if entries.event != "messages.update":
        return
    for record in entries.records:
        given = record.get("key")
        key = given if isinstance(given, dict) else record
        if key.get("fromMe") is False or record.get("fromMe") is False:
            continue  # A person's message: that we have read it is no news of ours.
        # Version 2 has ids of its database in `messageId` and `id`, and version 1 has but `id`.
        identity = record.get("keyId") or key.get("id")
        update = record.get("update")
        status = update.get("status") if isinstance(update, dict) else record.get("status")
        yield _told(identity, status, recipient=key.get("remoteJid") or record.get("remoteJid"))


def _of_cloud(entries: Entries) -> Iterator[Told | None]:
    for status in entries.statuses:
        yield _told(
            status.get("id"),
            status.get("status"),
            at=_seconds(status.get("timestamp")),
            code=_code(status.get("errors")),
            tracker=status.get("biz_opaque_callback_data"),
            recipient=status.get("recipient_id"),
        )


def _told(
    identity: Any,
    status: Any,
    *,
    recipient: Any,
    at: float | None = None,
    code: str = "",
    tracker: Any = "",
) -> Told | None:
    if isinstance(status, str):
        known = _WORDS.get(short(status).lower())
    else:
        known = _NUMBERS.get(status) if type(status) is int else None
    message_id = short(identity)
    if known is None or not message_id:
        return None
    return Told(
        message_id=message_id,
        status=known,
        at=at,
        code=code,
        tracker=short(tracker),
        recipient=short(recipient),
    )


def _seconds(value: Any) -> float | None:
    if isinstance(value, str) and len(value) > _LONGEST_TIME:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < 1e11 else None


def _code(errors: Any) -> str:
    """A number: it stands on metrics too, where nothing that somebody has written has a place."""
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) < 10:
        return code
    return str(code) if type(code) is int and 0 <= code < _CODES else ""
