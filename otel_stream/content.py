"""Messages in the convention's JSON form, bounded and redacted.

Form: OpenTelemetry semantic conventions v1.41.1, `gen-ai-input-messages.json`,
`gen-ai-output-messages.json`, `gen-ai-system-instructions.json`; on spans as a JSON string.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.record.capture import Capture, CutText, Piece

if TYPE_CHECKING:
    from otel_stream.settings import Settings

__all__ = [
    "BEYOND", "FINISH_REASONS", "Bounded", "as_json", "bounded", "output_messages", "tellable",
]  # fmt: skip

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

BEYOND = 1024
"""Characters of an answer kept beyond the limit, so that redaction sees past the cut."""

_WORDS = frozenset({"finish_reason", "mime_type", "modality", "role", "type"})
_FORMS = frozenset({"parts", "server_tool_call", "server_tool_call_response"})
_DEEPEST = 64
_OBJECTS_KEPT = 4096


class Bounded:
    """Cuts and redacts content.

    Args:
        limit: Characters kept in all.
        redact: Sees each text before it leaves, whole.

    Raises whatever `redact` raises: the caller drops the content then.
    """

    def __init__(self, limit: int, redact: Redact | None) -> None:
        self._left = limit
        self._objects = _OBJECTS_KEPT
        self._redact = redact
        self.truncated = False

    def content(self, content: dict[str, Any]) -> dict[str, Any]:
        """A copy of `content` (messages or parts by attribute) with every text redacted and cut."""
        return {name: self._form(value) for name, value in content.items()}

    def _form(self, value: Any) -> Any:
        """Lists and objects that the convention defines. Their own words are no content."""
        if isinstance(value, (list, tuple)):
            return self._items(value, self._form)
        if not isinstance(value, dict):
            return self._any(value)
        self._objects -= 1
        return {
            key: item
            if key in _WORDS and isinstance(item, str)
            else (self._form if key in _FORMS else self._any)(item)
            for key, item in value.items()
        }

    def _any(self, value: Any, depth: int = 0) -> Any:
        """What an application or a model has put there: arguments, results, schemas."""
        if isinstance(value, str):
            return self._text(value)
        if depth >= _DEEPEST:
            self.truncated = True
            return None
        self._left -= 1
        if isinstance(value, dict):
            pairs = self._items(value.items(), lambda pair: self._pair(pair, depth))
            return dict(pairs)
        if isinstance(value, (list, tuple)):
            return self._items(value, lambda item: self._any(item, depth + 1))
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self._text(str(value))

    def _pair(self, pair: tuple[Any, Any], depth: int) -> tuple[str, Any]:
        return self._text(str(pair[0])), self._any(pair[1], depth + 1)

    def _items(self, items: Iterable[Any], copy: Callable[[Any], Any]) -> list[Any]:
        """As many as there is room for."""
        found = []
        for item in items:
            if self._left <= 0 or self._objects <= 0:
                self.truncated = True
                break
            found.append(copy(item))
        return found

    def _text(self, text: str) -> str:
        if self._redact is not None:
            text = _redacted(self._redact, text)
        if len(text) > self._left:
            self.truncated = True
            text = text[: max(self._left, 0)]
        self._left -= len(text)
        return text if text.isascii() else _encodable(text)


def _redacted(redact: Redact, text: str) -> str:
    """What may leave of `text`.

    Raises:
        TypeError: `redact` gave no text; perhaps it forgot to return one.
    """
    found = redact(text)
    if not isinstance(found, str):
        raise TypeError(f"redact must return text, not {type(found).__name__}")
    if isinstance(text, CutText):
        # A secret that was cut in half goes unrecognized. What comes before it does not depend on
        # the last of the text.
        found = _common(found, redact(text[:-BEYOND]))
    return found


def _common(one: str, other: str) -> str:
    """What both begin with."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(character for character, _ in alike)


def bounded(
    content: dict[str, Any], limit: int, redact: Redact | None
) -> tuple[dict[str, Any], bool] | None:
    """`content` redacted and cut to `limit` characters, and whether it was cut.

    None when redaction fails: then the content is dropped, not let through.
    """
    with guard("redacting content"):
        cut = Bounded(limit, redact)
        return cut.content(content), cut.truncated
    return None


def tellable(text: str, settings: Settings) -> str | None:
    """What an error says and may repeat of the content, as content is told on spans: redacted.

    None where that is not captured, or redaction fails.
    """
    if settings.capture_content not in ("span", "both"):
        return None
    kept = bounded({"why": text}, settings.content_limit, settings.redact)
    return None if kept is None else str(kept[0]["why"])


def as_json(value: Any) -> str:
    """Compact JSON. Half an emoji (a lone surrogate, common in a cut stream) becomes `?`."""
    return _encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def output_messages(
    capture: Capture, finish_reasons: dict[int, str], outcome: Outcome | None
) -> Messages:
    """The answer: one message for each choice. Where no finish reason came, the outcome tells."""
    return [
        {
            "role": "assistant",
            "parts": [_part(piece) for piece in capture.choices.get(choice, ())],
            "finish_reason": _finish_reason(finish_reasons.get(choice), outcome),
        }
        for choice in sorted({*capture.choices, *finish_reasons})
    ]


def _finish_reason(reason: str | None, outcome: Outcome | None) -> str:
    if reason is not None:
        return FINISH_REASONS.get(reason, reason)
    if outcome is Outcome.COMPLETED:
        return "stop"
    return "error" if outcome is None or outcome.failed else outcome.value


def _part(piece: Piece) -> dict[str, Any]:
    if piece.done is not None:
        return piece.done
    if piece.kind == "tool_call":
        return _tool_call(piece)
    # The convention has no kind for a refusal; it is no answer, and a generic part keeps it apart.
    return {"type": piece.kind, "content": piece.text}


def _tool_call(piece: Piece) -> dict[str, Any]:
    arguments: Any = piece.text
    try:
        arguments = json.loads(arguments, parse_constant=str) if arguments else None
    except (ValueError, RecursionError):
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
