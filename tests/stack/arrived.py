"""Which spans of a load a back end has, and how often."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from otel_stream.pipeline.jaeger import Jaeger
from stack.servers.collector import Collector
from tests.stack import otlp

__all__ = ["in_jaeger", "in_json", "missing"]

SPANS = ("resourceSpans", "scopeSpans", "spans")


def in_jaeger(jaeger: Jaeger, trace_ids: Iterable[str]) -> Counter[str]:
    """How often Jaeger has each span of these traces."""
    batches = ({"resourceSpans": jaeger.resource_spans(trace_id)} for trace_id in trace_ids)
    return Counter(span["spanId"] for _, _, span in otlp.each(batches, *SPANS))


def in_json(agent: Collector, trace_ids: Iterable[str]) -> Counter[str]:
    """How often the agent's JSON lines have each span of these traces."""
    wanted = set(trace_ids)
    batches = otlp.lines(otlp.files(agent.data, "traces"))
    return Counter(
        span["spanId"] for _, _, span in otlp.each(batches, *SPANS) if span["traceId"] in wanted
    )


def missing(
    found: Callable[[], Counter[str]], expected: set[str], timeout: float = 60.0
) -> set[str]:
    """Which of the expected spans have not arrived after so many seconds."""
    until = time.monotonic() + timeout
    while (left := expected - set(found())) and time.monotonic() < until:
        time.sleep(1.0)
    return left
