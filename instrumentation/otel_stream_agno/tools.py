"""The execution of one tool, as a span: by its call's id, with its true success."""

from __future__ import annotations

from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_stream import semconv
from otel_stream.attributes import sound
from otel_stream.fields import field_of
from otel_stream.redaction import scrub
from otel_stream.runtime import ATTRIBUTES, Runtime
from otel_stream_agno.facts import string_of
from otel_stream_agno.material import material_of

__all__ = ["TOOL_FAILED", "ToolSpan"]

TOOL_FAILED = "ToolCallError"
"""`error.type` of a tool that failed, and the name of the event that says so."""

_OPERATION = "execute_tool"


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
        name = string_of(tool, "tool_name")
        identity = string_of(tool, "tool_call_id")
        attributes: dict[str, Any] = {
            semconv.OPERATION_NAME: _OPERATION,
            semconv.TOOL_TYPE: "function",
        }
        if name:
            attributes[semconv.TOOL_NAME] = name
        if identity:
            attributes[semconv.TOOL_CALL_ID] = identity
        given: Any = otel_context.get_value(ATTRIBUTES, context)
        self.span = runtime.tracer.start_span(
            f"{_OPERATION} {name}" if name else _OPERATION,
            context=context,
            kind=SpanKind.INTERNAL,
            attributes=sound({**attributes, **(given or {})}),
            start_time=at,
        )

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
