"""OTLP requests full of spans as a stream's are, made fast enough to load a collector.

One request is encoded once with the SDK's own encoder; each further one differs in its ids, which
have fixed places in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind

from otel_stream import semconv

__all__ = ["Payload", "Request", "spans"]

_TRACE, _SPAN = b"\xf1" * 14, b"\xf2" * 6
_EVENTS = 8


class Request(NamedTuple):
    """One request, and the ids of the spans in it, in lower-case hex."""

    body: bytes
    trace_id: str
    span_ids: Sequence[str]


class Payload:
    """Requests whose first span's trace is theirs.

    Args:
        service: The resource's name.
        size: Spans a request, at most 65,535.
        attributes: More attributes of each span.
        traces: How many traces these spans are of.
    """

    def __init__(
        self,
        service: str,
        size: int,
        attributes: dict[str, str | float] | None = None,
        traces: int = 1,
    ) -> None:
        self.size = size
        self._each = -(-size // traces)
        self._body = bytearray(
            encode_spans(spans(service, size, attributes or {})).SerializeToString()
        )
        self._traces = _places(self._body, _TRACE)
        self._spans = _places(self._body, _SPAN)

    def next(self) -> Request:
        """A request with ids that no other has."""
        start, trace_id, first = os.urandom(6), b"", ""
        for number, place in enumerate(self._traces):
            if number % self._each == 0:
                trace_id = os.urandom(16)
                first = first or trace_id.hex()
            self._body[place : place + 16] = trace_id
        ids = []
        for number, place in enumerate(self._spans):
            span_id = start + number.to_bytes(2, "big")
            self._body[place : place + 8] = span_id
            ids.append(span_id.hex())
        return Request(bytes(self._body), first, ids)


def spans(service: str, size: int, attributes: dict[str, str | float]) -> Sequence[ReadableSpan]:
    """Spans of one trace, each as a stream's is."""
    kept = InMemorySpanExporter()
    resource = Resource({"service.name": service, "service.instance.id": "load"})
    provider = TracerProvider(resource=resource, id_generator=_Ids(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("otel_stream")
    said: dict[str, str | float] = {
        semconv.OPERATION_NAME: "chat",
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-4o-mini",
        semconv.RESPONSE_MODEL: "gpt-4o-mini-2024-07-18",
        semconv.OUTCOME: "completed",
        semconv.TIME_TO_FIRST_TOKEN: 0.5,
        semconv.USAGE_INPUT_TOKENS: 1200,
        semconv.USAGE_OUTPUT_TOKENS: 300,
    }
    now = time.time_ns()
    for _ in range(size):
        span = tracer.start_span(
            "chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes=said | attributes,
            start_time=now - 2_000_000_000,
        )  # fmt: skip
        for number in range(_EVENTS):
            elapsed = {semconv.ELAPSED: number / 4}
            span.add_event(semconv.EVENT_CHUNK, elapsed, now - 2_000_000_000 + number)
        span.end(now)
    return kept.get_finished_spans()


class _Ids(IdGenerator):
    """Ids that are found again in the encoded request."""

    def __init__(self) -> None:
        self._number = 0

    def generate_trace_id(self) -> int:
        return int.from_bytes(_TRACE + b"\x01\x01", "big")

    def generate_span_id(self) -> int:
        self._number += 1
        return int.from_bytes(_SPAN + self._number.to_bytes(2, "big"), "big")


def _places(body: bytearray, pattern: bytes) -> list[int]:
    found, place = [], body.find(pattern)
    while place >= 0:
        found.append(place)
        place = body.find(pattern, place + len(pattern))
    return found
