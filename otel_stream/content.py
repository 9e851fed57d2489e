"""Messages in the convention's JSON form, bounded and redacted.

Form: OpenTelemetry semantic conventions v1.41.1, `gen-ai-input-messages.json`,
`gen-ai-output-messages.json`, `gen-ai-system-instructions.json`; on spans as a JSON string.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from otel_stream.capture import Capture, Piece
from otel_stream.errors import guard

__all__ = ["FINISH_REASONS", "Bounded", "as_json", "bounded", "output_messages"]

Redact = Callable[[str], str]
Messages = list[dict[str, Any]]

FINISH_REASONS = {
    "completed": "stop",
    "end_turn": "stop",
    "function_call": "tool_call",
    "max_output_tokens": "length",
    "max_tokens": "length",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
}
"""Providers' finish reasons by the convention's word; one that stands on neither side stays."""


class Bounded:
    """Cuts and redacts the texts of a message tree.

    Args:
        limit: Characters kept in all.
        redact: Sees each text before it leaves.

    Raises whatever `redact` raises: the caller drops the content then.
    """

    def __init__(self, limit: int, redact: Redact | None) -> None:
        self._left = limit
        self._redact = redact
        self.truncated = False

    def tree(self, value: Any) -> Any:
        """A copy of `value` (dicts, lists, scalars) with every text redacted and cut."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {str(key): self._field(key, item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.tree(item) for item in value]
        return (
            value if isinstance(value, (int, float, bool, type(None))) else self._text(str(value))
        )

    def _field(self, key: Any, value: Any) -> Any:
        # Words of the format itself are neither content nor counted.
        if key in {"type", "role", "finish_reason", "modality", "mime_type"}:
            return value
        return self.tree(value)

    def _text(self, text: str) -> str:
        if self._redact is not None:
            text = str(self._redact(text))
        if len(text) > self._left:
            self.truncated = True
            text = text[: self._left]
        self._left -= len(text)
        return text


def bounded(value: Any, limit: int, redact: Redact | None) -> tuple[Any, bool] | None:
    """`value` redacted and cut to `limit` characters, and whether it was cut.

    None when redaction fails: then the content is dropped, not let through.
    """
    with guard("redacting content"):
        cut = Bounded(limit, redact)
        return cut.tree(value), cut.truncated
    return None


def as_json(value: Any) -> str:
    """Compact JSON. Half an emoji (a lone surrogate, common in a cut stream) becomes `?`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode("utf-8")


def output_messages(capture: Capture, finish_reasons: dict[int, str]) -> Messages:
    """The answer: one message for each choice."""
    return [
        {
            "role": "assistant",
            "parts": [_part(piece) for piece in capture.choices.get(choice, ())],
            "finish_reason": _finish_reason(finish_reasons.get(choice)),
        }
        for choice in sorted({*capture.choices, *finish_reasons})
    ]


def _finish_reason(reason: str | None) -> str:
    return "error" if reason is None else FINISH_REASONS.get(reason, reason)


def _part(piece: Piece) -> dict[str, Any]:
    if piece.done is not None:
        return piece.done
    if piece.kind == "tool_call":
        return _tool_call(piece)
    kind = "text" if piece.kind == "refusal" else piece.kind
    return {"type": kind, "content": piece.text}


def _tool_call(piece: Piece) -> dict[str, Any]:
    arguments: Any = piece.text
    try:
        arguments = json.loads(arguments) if arguments else None
    except ValueError:
        pass  # Cut short: the fragment stays a string, as it came.
    call: dict[str, Any] = {"type": "tool_call", "name": piece.name or "", "id": piece.id}
    if piece.server:
        return {
            "type": "server_tool_call",
            "name": piece.name or "",
            "id": piece.id,
            "server_tool_call": {"type": piece.name or "", "arguments": arguments},
        }
    return {**call, "arguments": arguments}
