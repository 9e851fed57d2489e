"""What the body of a request asks for: form fields or JSON, as far as they are in memory."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

__all__ = ["Asked", "asked_in"]

_LARGEST = 64 * 1024
"""Bytes beyond which a body is not looked into: it carries files."""

_NAMES = ("session_id", "stream", "message")
_PART = re.compile(
    rb'\r\nContent-Disposition: form-data; name="(session_id|stream|message)"'
    rb"(?:\r\n[^\r\n]+)*+\r\n\r\n",
    re.IGNORECASE,
).match
_NO = frozenset({"0", "false", "f", "n", "no", "off"})


class Asked(NamedTuple):
    """What is asked for. `streamed` is what the server does by default too, if nothing is said."""

    session_id: str | None = None
    streamed: bool = True
    message: str | None = None


def asked_in(body: bytes) -> Asked:
    """The fields of a body of whatever kind; nothing of one that cannot be read. Never raises."""
    if not body or len(body) > _LARGEST:
        return Asked()
    try:
        found = _fields(body)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return Asked()
    session_id, stream, message = (found.get(name) for name in _NAMES)
    return Asked(
        session_id if isinstance(session_id, str) else None,
        str(stream).lower() not in _NO,
        message if isinstance(message, str) else None,
    )


def _fields(body: bytes) -> dict[str, Any]:
    if body.startswith(b"--"):
        return _multipart(body)
    if body.lstrip().startswith(b"{"):
        return msgspec.json.decode(body, type=dict[str, Any])
    pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=256)
    return {name: value for name, value in pairs if name in _NAMES}


def _multipart(body: bytes) -> dict[str, Any]:
    """The fields of `multipart/form-data`. Its boundary is the first line."""
    boundary = body.partition(b"\r\n")[0]
    found: dict[str, Any] = {}
    for part in body.split(boundary):
        begin = _PART(part)
        if begin is not None:
            value = part[begin.end() :].removesuffix(b"\r\n")
            found[begin[1].decode().lower()] = value.decode("utf-8", "replace")
    return found
