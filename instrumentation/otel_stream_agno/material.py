"""What a tool was given and what it gave: content, bounded and redacted like all content."""

from __future__ import annotations

from typing import Any

from otel_stream import semconv
from otel_stream.content import as_json, bounded
from otel_stream.settings import Settings

__all__ = ["material_of"]

_NAMES = {"arguments": semconv.TOOL_CALL_ARGUMENTS, "result": semconv.TOOL_CALL_RESULT}


def material_of(settings: Settings, arguments: Any, result: Any) -> dict[str, Any]:
    """The attributes of a tool's span that hold content; none where it is not kept on spans."""
    given = {"arguments": arguments, "result": result}
    given = {name: value for name, value in given.items() if value is not None}
    if not given or settings.capture_content not in ("span", "both"):
        return {}
    # One level deeper, so that no key of the tool's own is taken for a word of the convention's.
    kept = bounded({"tool": given}, settings.content_limit, settings.redact)
    if kept is None:
        return {}
    found, cut = kept
    told: dict[str, Any] = {
        _NAMES[name]: value if isinstance(value, str) else as_json(value)
        for name, value in found["tool"].items()
    }
    return {**told, semconv.CONTENT_TRUNCATED: True} if cut else told
