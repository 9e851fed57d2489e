"""What a call asks for: Evolution's fields, as JSON or as a form, in the shapes of v1 and v2.

v1 nests what v2 has flat: `textMessage: {text}` for `text`, `options: {presence, delay}` beside the
number. What cannot be read is empty; files are never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

__all__ = ["Asked"]

_FORM = 64 * 1024
"""Bytes of a form that are looked at: its fields, if they stand before the file."""
_FIELD = re.compile(rb'name="(\w+)"(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL)
_LONGEST_SHOWN = 3600.0

# By kind: the field that holds what a person reads, and in what v1 nests it.
_TEXTS = {
    "text": ("text", "textMessage"),
    "media": ("caption", "mediaMessage"),
    "reaction": ("reaction", "reactionMessage"),
    "poll": ("name", "pollMessage"),
    "list": ("description", "listMessage"),
    "buttons": ("description", "buttonMessage"),
    "status": ("content", "statusMessage"),
}


class Asked:
    """The fields of one call.

    Args:
        body: The body of its request; empty where that is streamed, or too large.
    """

    def __init__(self, body: bytes) -> None:
        self._fields = _fields_of(body)

    @property
    def recipient(self) -> str:
        """The number or JID that it is for; "" if it does not say, as for a status."""
        for field in (self._fields, self._inside("reactionMessage")):
            number = field.get("number") or _inside(field, "key").get("remoteJid")
            if isinstance(number, (str, int)):
                return str(number)
        return ""

    def text(self, kind: str) -> str | None:
        """What a message of this kind says, if that is text."""
        name, nest = _TEXTS.get(kind, ("", ""))
        field = self._fields if name in self._fields else self._inside(nest)
        if kind == "status" and field.get("type") != "text":
            return None  # A picture, or where to find one.
        found = field.get(name)
        return found if isinstance(found, str) else None

    @property
    def presence(self) -> str:
        """`composing`, `recording`, `paused`, `available`, `unavailable`."""
        found = self._fields.get("presence") or self._inside("options").get("presence")
        return found if isinstance(found, str) else ""

    @property
    def delay(self) -> float:
        """Seconds that the server shows it; before a message, that it shows typing."""
        found = self._fields.get("delay") or self._inside("options").get("delay")
        try:
            return min(max(0.0, float(found) / 1e3), _LONGEST_SHOWN)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return 0.0

    def _inside(self, name: str) -> Mapping[str, Any]:
        return _inside(self._fields, name)


def _inside(field: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = field.get(name)
    return found if isinstance(found, dict) else {}


def _fields_of(body: bytes) -> Mapping[str, Any]:
    if body.startswith(b"--"):
        found = _FIELD.findall(body[:_FORM])
        return {name.decode(): value.decode("utf-8", "replace") for name, value in found}
    try:
        read = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _form(body)
    return read if isinstance(read, dict) else {}


def _form(body: bytes) -> Mapping[str, Any]:
    if not body or body[:1] == b"{":
        return {}
    return dict(parse_qsl(body[:_FORM].decode("utf-8", "replace")))
