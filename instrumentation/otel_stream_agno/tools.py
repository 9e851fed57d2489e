"""The execution of one tool, as a span: by its call's id, with its true success."""

from __future__ import annotations

from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otel_stream import semconv
from otel_stream.attributes import sound
from otel_stream.fields import field_of
from otel_stream.redaction import scrub
from otel_stream.runtime import ATTRIBUTES, Runtime
from otel_stream_agno.facts import string_of
from otel_stream_agno.material import material_of

__all__ = ["TOOL_FAILED", "ToolSpan", "tool_span"]

TOOL_FAILED = "ToolCallError"
"""`error.type` of a tool that failed, and the name of the event that says so."""

_OPERATION = "execute_tool"


def tool_span(
    runtime: Runtime, name: str | None, call_id: Any, context: Context, at: int | None = None
) -> Span:
    """The span of a tool's execution, begun.

    Args:
        runtime: Settings and providers.
        name: The tool's.
        call_id: Of the call by the model.
        context: In which the run's span is current.
        at: When it began (ns since the epoch), if not now.
    """
    found = {
        semconv.OPERATION_NAME: _OPERATION,
        semconv.TOOL_TYPE: "function",
        semconv.TOOL_NAME: name or None,
        semconv.TOOL_CALL_ID: call_id or None,
        **(otel_context.get_value(ATTRIBUTES, context) or {}),  # type: ignore[dict-item]
    }
    known = {key: value for key, value in found.items() if value is not None}
    return runtime.tracer.start_span(
        f"{_OPERATION} {name}" if name else _OPERATION,
        context=context,
        kind=SpanKind.INTERNAL,
        attributes=sound(known),
        start_time=at,
    )


class ToolSpan:
    """One tool at work, from the event that it began to the event that it ended.

    Args:
        runtime: Settings and providers.
        tool: What the event says of it: an object of the library, or its JSON.
        context: In which the run's span is current.
        at: When it began (ns since the epoch).
    """

    __slots__ = ("_runtime", "span")

    def __init__(self, runtime: Runtime, tool: Any, context: Context, at: int) -> None:
        self._runtime = runtime
        name, call_id = string_of(tool, "tool_name"), string_of(tool, "tool_call_id")
        self.span = tool_span(runtime, name, call_id, context, at)

    def done(self, event: Any, at: int, *, failed: bool = False) -> None:
        """The event says that it has ended, well or not."""
        tool = field_of(event, "tool")
        self._write_content(tool)
        failed = failed or field_of(tool, "tool_call_error") is True
        # What a tool says of its failure is content: it may hold what it was asked.
        why = string_of(event, "error") if self._runtime.captures else None
        self.end(at, TOOL_FAILED if failed else None, why or "")

    def end(self, at: int, error_type: str | None = None, why: str = "") -> None:
        """It has ended, with that `error.type` if it failed."""
        if error_type is not None:
            self.span.set_attribute(semconv.ERROR_TYPE, error_type)
            self.span.set_status(Status(StatusCode.ERROR, scrub(why) if why else None))
        self.span.end(at)

    def _write_content(self, tool: Any) -> None:
        if self.span.is_recording():
            given, gave = field_of(tool, "tool_args"), field_of(tool, "result")
            self.span.set_attributes(material_of(self._runtime.settings, given, gave))
