"""A trace as a drawing: one line a span, children under their parent, in order of their start."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.sdk.trace import ReadableSpan

from otel_stream.testing import Captured

__all__ = ["draw"]


def draw(captured: Captured) -> str:
    """The spans that have ended: name, outcome of a run or error, usage."""
    spans = sorted(captured.spans(), key=lambda span: span.start_time or 0)
    known = {_id(span) for span in spans}
    roots = [span for span in spans if _parent(span) not in known]
    lines = [line for root in roots for line in _lines(root, spans, 0)]
    return "\n" + "".join(f"{line}\n" for line in lines)


def _id(span: ReadableSpan) -> int | None:
    return span.context.span_id if span.context else None


def _parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def _lines(span: ReadableSpan, spans: list[ReadableSpan], depth: int) -> Iterator[str]:
    yield "  " * depth + _told(span)
    for child in spans:
        if _parent(child) == _id(span):
            yield from _lines(child, spans, depth + 1)


def _told(span: ReadableSpan) -> str:
    found = dict(span.attributes or {})
    told = [span.name]
    if not span.name.startswith("chat"):
        told.append(str(found.get("otel_stream.outcome", "")))
    if "error.type" in found:
        told.append(f"({found['error.type']})")
    if "gen_ai.usage.input_tokens" in found:
        told.append(f"{found['gen_ai.usage.input_tokens']}+{found['gen_ai.usage.output_tokens']}")
    return " ".join(filter(None, told))
