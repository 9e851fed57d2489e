"""Undoes the content encoding of bytes that were taken from the wire."""

from __future__ import annotations

import zlib

__all__ = ["Decoder"]

_ANY_ZLIB = 47  # zlib.MAX_WBITS | 32: gzip or zlib, told by the header
_PLAIN = frozenset({"", "identity"})
_ZLIB = frozenset({"gzip", "x-gzip", "deflate"})


class Decoder:
    """Gzip and deflate, bit by bit. What it cannot undo comes out as nothing.

    Args:
        encoding: The `content-encoding` header.
    """

    __slots__ = ("_begun", "_inflate", "plain")

    def __init__(self, encoding: str) -> None:
        encoding = encoding.strip().lower()
        self.plain = encoding in _PLAIN
        """Whether there is nothing to undo."""
        self._inflate = zlib.decompressobj(_ANY_ZLIB) if encoding in _ZLIB else None
        self._begun = False

    def decode(self, data: bytes) -> bytes:
        """The next bytes; `b""` while there are none, and after bytes that make no sense."""
        if self.plain:
            return data
        begun, self._begun = self._begun, True
        try:
            return self._inflated(data)
        except zlib.error:
            # Some servers leave the header of `deflate` out.
            self._inflate = None if begun else zlib.decompressobj(-zlib.MAX_WBITS)
            return b"" if begun else self.decode(data)

    def _inflated(self, data: bytes) -> bytes:
        inflate, plain = self._inflate, b""
        while inflate is not None and data:
            plain += inflate.decompress(data)
            data = inflate.unused_data.lstrip(b"\0")
            if data:  # One gzip may follow another.
                inflate = self._inflate = zlib.decompressobj(_ANY_ZLIB)
        return plain
