from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from otel_stream.export.size import LARGEST, parts, size_of
from otel_stream.testing import Captured


@pytest.fixture
def kept() -> Captured:
    return Captured()


@pytest.mark.parametrize("content", ["", "x" * 10_000, "ü" * 10_000, "消" * 10_000])
def test_span(kept: Captured, content: str) -> None:
    """A span's size is known within a quarter without encoding it, in any script."""
    span = kept.tracer_provider.get_tracer("t").start_span("chat a-model")
    for number in range(20):
        span.set_attribute(f"gen_ai.an.attribute.{number}", number if number % 2 else "a value")
        span.add_event("otel_stream.chunk", {"otel_stream.chunk.index": number, "kind": "text"})
    span.set_attribute("gen_ai.output.messages", content)
    span.end()
    (ended,) = kept.spans()

    assert size_of(ended) == pytest.approx(encode_spans([ended]).ByteSize(), rel=0.25)


def test_log_record() -> None:
    """So is that of a log record with messages in its attributes and its body."""
    kept = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    message = {"role": "user", "parts": [{"type": "text", "content": "x" * 5_000}]}
    provider.get_logger("l").emit(
        event_name="e", body={"messages": [message]}, attributes={"m": [message, message]}
    )
    (record,) = kept.get_finished_logs()

    assert size_of(record) == pytest.approx(encode_logs([record]).ByteSize(), rel=0.25)


def test_parts(kept: Captured) -> None:
    """Spans are sent in order, in as few parts as fit; a larger one stands alone."""
    tracer = kept.tracer_provider.get_tracer("t")
    for size in (1, 900_000, 900_000, 900_000, LARGEST, 1, 1):
        tracer.start_span("s", attributes={"content": "x" * size}).end()
    spans = kept.spans()

    found = [list(part) for part in parts(spans)]

    assert found == [spans[:3], spans[3:4], spans[4:5], spans[5:]]
