"""Pieces of a run: a tool call, and content that is no text."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from otel_stream.delta import ToolCall
from otel_stream.fields import field_of

__all__ = ["arguments_of", "text_of", "tool_call", "tool_key"]


def text_of(content: Any) -> str | None:
    """Content of a type of the program's, as the text that it is on the wire."""
    if content is None or isinstance(content, str):
        return content
    if hasattr(content, "model_dump_json"):
        return str(content.model_dump_json())
    return _as_json(content)


def tool_call(tool: Any) -> ToolCall:
    """The beginning of a tool's call, with all its arguments."""
    name, identity = field_of(tool, "tool_name"), field_of(tool, "tool_call_id")
    return ToolCall(
        tool_key(tool),
        name if isinstance(name, str) else None,
        identity if isinstance(identity, str) else None,
        arguments_of(tool),
    )


def tool_key(tool: Any) -> str:
    """What tells a run's tool calls apart: the call's id; the name where there is none."""
    return str(field_of(tool, "tool_call_id") or field_of(tool, "tool_name") or "")


def arguments_of(tool: Any) -> str:
    """A tool call's arguments as JSON; empty if it has none."""
    arguments = field_of(tool, "tool_args")
    if not arguments:
        return ""
    return _as_json(arguments)


def _as_json(value: Any) -> str:
    """Compact JSON, of whatever there is: half an emoji and keys that are no text too."""
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (TypeError, ValueError, msgspec.MsgspecError):
        return json.dumps(value, separators=(",", ":"), default=str, skipkeys=True)
