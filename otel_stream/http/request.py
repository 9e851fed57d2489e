"""What the requests of all libraries have in common."""

from __future__ import annotations

from typing import Any

__all__ = ["DEFAULT_PORTS", "in_memory"]

DEFAULT_PORTS = {"http": 80, "https": 443}

_LARGEST = 1024 * 1024


def in_memory(body: Any) -> bytes:
    """`body` as bytes if it is bytes or text and not too large, else `b""`."""
    if isinstance(body, str):
        body = body.encode() if len(body) <= _LARGEST else b""
    if isinstance(body, (bytes, bytearray)) and len(body) <= _LARGEST:
        return bytes(body)
    return b""
