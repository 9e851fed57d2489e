"""One event of the wire: only the fields that are read, so that the others cost nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec

__all__ = ["WireEvent", "event_in", "lenient_event_in"]


class WireEvent(msgspec.Struct, gc=False):
    """What is read of an event. Nobody checks what a server sends: each field may be anything."""

    event: Any = None
    run_id: Any = None
    parent_run_id: Any = None
    content: Any = None
    reasoning_content: Any = None
    thinking: Any = None
    tool: Any = None
    tools: Any = None
    error: Any = None
    error_type: Any = None
    agent_id: Any = None
    agent_name: Any = None
    team_id: Any = None
    team_name: Any = None
    session_id: Any = None
    model: Any = None
    metrics: Any = None


# A `DecodeError` of msgspec is a `ValueError` from 0.20 on only.
_NOT_JSON = (ValueError, RecursionError, msgspec.MsgspecError)
_decode = msgspec.json.Decoder(WireEvent).decode


def event_in(data: bytes | str) -> WireEvent | None:
    """The event that `data` is; None if it is not one JSON object."""
    try:
        return _decode(data)
    except _NOT_JSON:
        return None


def lenient_event_in(data: bytes | str) -> WireEvent | None:
    """The same, and what Python writes but JSON does not know: NaN, half an emoji, no UTF-8."""
    event = event_in(data)
    if event is not None:
        return event
    try:
        found = json.loads(data if isinstance(data, str) else data.decode("utf-8", "replace"))
        return msgspec.convert(found, WireEvent) if isinstance(found, dict) else None
    except _NOT_JSON:
        return None
