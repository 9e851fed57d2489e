"""What must agree between a run without us and one with us, and what our span must say."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode

from .clients import http
from .stage import Run
from .ways import Way

__all__ = [
    "assert_nothing_left_over",
    "assert_one_true_span",
    "assert_same_for_application",
    "assert_same_on_the_wire",
]

OF_ANSWERS = {"otel_stream.retries", "otel_stream.usage.source"}
"""All of ours that the span of a call has that does not stream."""

COLLECTED = "aclose(): asynchronous generator is already running"
"""What asyncio says when the collector drops a chain of generators, in some orders of it."""


def assert_same_for_application(way: Way, bare: Run, traced: Run) -> None:
    """Chunks, exceptions, types and attributes."""
    assert bare.scene.error is None or issubclass(bare.scene.error[0], way.ending.raises)
    assert traced.scene.read() == bare.scene.read()
    assert traced.scene.error == bare.scene.error
    assert traced.scene.facts == bare.scene.facts
    assert set(traced.scene.inside) <= {traced.parent, INVALID_SPAN}


def assert_same_on_the_wire(bare: Run, traced: Run) -> None:
    """Body and headers. The trace context goes where the SDK's own span would have sent it."""
    assert traced.request.body == bare.request.body
    assert without_context(traced.request.headers) == without_context(bare.request.headers)
    assert traced.request.headers.keys() == bare.request.headers.keys()
    if "traceparent" in traced.request.headers:
        assert traced.request.headers["traceparent"] == traceparent(traced.ours[0])


def assert_one_true_span(way: Way, traced: Run) -> None:
    """One span, of all that ended, is about the call; it knows its parent and how it went."""
    (span,) = traced.ours
    found: Any = span.attributes

    assert inference_spans(traced.native) == []
    assert span.kind is SpanKind.CLIENT
    if way.call.kind == "answer":
        assert {name for name in found if name.startswith("otel_stream.")} <= OF_ANSWERS
    else:
        assert found["otel_stream.outcome"] == expected_outcome(way)
    assert found["gen_ai.operation.name"] == way.call.wire.operation
    assert found.get("error.type") == error_type(way, traced)
    failed = way.ending.outcome in ("truncated", "error")
    assert (span.status.status_code is StatusCode.ERROR) == failed
    assert parent_id(span) in expected_parents(way, traced)
    assert traced.open == []


def assert_nothing_left_over(bare: Run, traced: Run) -> None:
    """No task, thread, open file or log line but those that the SDK leaves by itself."""
    for kind, found in traced.left_over.items():
        left = {line for line in found if COLLECTED not in line}
        assert left <= bare.left_over[kind], kind


def expected_outcome(way: Way) -> str:
    """As the table says, but where nobody can know it (`docs/concepts.md`)."""
    # A helper keeps its iterator of texts, so a loop over it that was left says nothing of it.
    if way.call.kind == "texts" and way.ending.name in ("left", "passed_on", "failing"):
        return "abandoned"
    # httpx2 closes the response when a loop over it is left, before Ctrl-C can be seen.
    if way.call.name.endswith("raw.lines") and way.ending.name == "in_body":
        unseen = http.__name__ == "httpx2" and not way.asynchronous
        return "closed_early" if unseen else "cancelled"
    return way.ending.outcome


def without_context(headers: dict[str, str]) -> dict[str, str]:
    """The headers but for the trace context's value."""
    return {name: value for name, value in headers.items() if name != "traceparent"}


def traceparent(span: ReadableSpan) -> str:
    """The header that names *span*."""
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def inference_spans(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """Those that a bill would be made from."""
    return [
        span
        for span in spans
        if any(name.startswith("gen_ai.usage.") for name in span.attributes or ())
        or (span.attributes or {}).get("gen_ai.operation.name") == "chat"
    ]


def parent_id(span: ReadableSpan) -> int | None:
    """The id of the parent."""
    return span.parent.span_id if span.parent is not None else None


def expected_parents(way: Way, traced: Run) -> list[int | None]:
    """The span that was current at the call: the SDK's tool runner's, or the application's."""
    if way.native and "tool_runner" in way.call.name:
        return [span.context.span_id for span in traced.native if span.context is not None]
    return [traced.parent.get_span_context().span_id or None]


def error_type(way: Way, traced: Run) -> str | None:
    """`error.type`: the provider's code, or the class of the exception that the reader got."""
    if way.ending.outcome == "truncated":
        return "truncated"
    if way.ending.outcome != "error":
        return None
    if way.ending.name == "error_event":
        return way.call.wire.code
    return None if traced.scene.error is None else _qualified(traced.scene.error[0])


def _qualified(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
