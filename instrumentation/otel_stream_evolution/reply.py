"""What Evolution replies to a message: the message's key, if it has accepted it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

__all__ = ["Key", "Reply"]

_LARGEST = 64 * 1024
"""Bytes of a reply that are kept: it may bring the picture back."""
_FIRST = re.compile(rb'\A\s*\{\s*"key"\s*:\s*(\{[^{}]*\})')


class Key(msgspec.Struct, frozen=True):
    """A message's id, and the JID that it goes to."""

    id: str
    remoteJid: Any = None

    @property
    def recipient(self) -> str:
        """The JID."""
        return self.remoteJid if isinstance(self.remoteJid, str) else ""


class _Accepted(msgspec.Struct, frozen=True):
    key: Key


_read = msgspec.json.Decoder(_Accepted).decode
_read_key = msgspec.json.Decoder(Key).decode


class Reply:
    """The body of one reply, as it arrives; bounded."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.whole = True
        """Whether nothing of it was left out."""

    def add(self, data: bytes) -> None:
        """More of it."""
        room = _LARGEST - len(self._bytes)
        self._bytes += data[:room]
        self.whole = self.whole and len(data) <= room

    def __bool__(self) -> bool:
        return bool(self._bytes)

    @property
    def key(self) -> Key | None:
        """The key in it; also of a reply that is not whole, where it stands first."""
        first = _FIRST.match(self._bytes)
        try:
            found = _read_key(first[1]) if first else _read(self._bytes).key
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return found if found.id else None
