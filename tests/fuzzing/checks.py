"""What has to hold of every stream, however bad it was."""

from __future__ import annotations

import logging
import math
from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import StatusCode

from otel_stream import errors
from otel_stream.outcome import Outcome
from otel_stream.record.recorder import Recorder

__all__ = ["Checks"]

OUTCOMES = {outcome.value for outcome in Outcome}
TIMES = ("otel_stream.time_to_", "gen_ai.response.time_to_first_chunk")
INT64 = range(-(2**63), 2**63)


class Complaints(logging.Handler):
    """Hears what is logged: by us of a fault, by the SDK of an attribute that is none."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name}: {record.getMessage()}")


class Ended(SpanProcessor):
    """Keeps the spans that have ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class Checks:
    """Real providers, and the invariants of what arrives in them."""

    def __init__(self) -> None:
        self._ended = Ended()
        self._complaints = Complaints()
        self._reader = InMemoryMetricReader()
        self.chunks = self.streams = 0
        self.outcomes: dict[str, int] = dict.fromkeys(sorted(OUTCOMES), 0)
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(self._ended)
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def __enter__(self) -> Checks:
        errors.faults.clear()
        for name in ("otel_stream", "opentelemetry"):
            logging.getLogger(name).addHandler(self._complaints)
        return self

    def __exit__(self, *error: object) -> None:
        for name in ("otel_stream", "opentelemetry"):
            logging.getLogger(name).removeHandler(self._complaints)
        self.tracer_provider.shutdown()

    def stream(self) -> ReadableSpan:
        """Check the only span that has ended since, and forget it."""
        spans = self._ended.spans
        assert len(spans) == 1, f"ended {len(spans)} times"
        span = spans.pop()
        assert not self._complaints.heard, self._complaints.heard
        assert not errors.faults, dict(errors.faults)
        self._check_figures(dict(span.attributes or {}))
        self._check_span(span)
        return span

    def recorder(self, recorder: Recorder) -> None:
        """Check what the span does not tell."""
        tally = recorder.tally
        moments = [recorder.called, recorder.first_chunk_at, tally.first_token_at]
        known = [moment for moment in moments if moment is not None]
        assert known == sorted(known), known
        assert recorder.ended and recorder.size >= 0
        for first in (tally.first_text_at, tally.first_reasoning_at, tally.first_tool_at):
            assert first is None or (tally.first_token_at or math.inf) <= first
        # The time between two chunks is either the provider's or the consumer's.
        if recorder.first_read_at is not None:
            lasted = recorder.read_at - recorder.first_read_at
            parts = recorder.provider_wait + recorder.consumer_time
            assert math.isclose(parts, lasted, abs_tol=1e-6), (parts, lasted)

    def metrics(self) -> None:
        """Check the metrics of all streams so far."""
        data = self._reader.get_metrics_data()
        assert data is not None
        encode_metrics(data).SerializeToString()
        points = {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }
        assert sum(p.value for p in points["otel_stream.streams"]) == self.streams
        assert sum(p.value for p in points["otel_stream.streams.active"]) == 0
        per_chunk = points.get("gen_ai.client.operation.time_per_output_chunk", [])
        assert sum(p.count for p in per_chunk) == self.chunks
        for name, found in points.items():
            for point in found:
                assert getattr(point, "min", 0) >= 0, name

    def _check_figures(self, attributes: dict[str, Any]) -> None:
        outcome, chunks = attributes["otel_stream.outcome"], attributes["otel_stream.chunk.count"]
        assert outcome in OUTCOMES, outcome
        self.outcomes[outcome] += 1
        self.streams += 1
        self.chunks += max(0, chunks - 1)
        for name, value in attributes.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                assert value >= 0, (name, value)
            if name.startswith(TIMES):
                assert math.isfinite(value), (name, value)
        failed = outcome in ("error", "truncated")
        assert ("error.type" in attributes) == failed, attributes
        assert attributes["otel_stream.partial"] or outcome == "completed"

    def _check_span(self, span: ReadableSpan) -> None:
        failed = (span.attributes or {})["otel_stream.outcome"] in ("error", "truncated")
        assert (span.status.status_code is StatusCode.ERROR) == failed
        assert len(span.events) <= 32 and span.dropped_events == 0
        assert (span.start_time or 0) <= (span.end_time or 0)
        assert [e.timestamp for e in span.events] == sorted(e.timestamp for e in span.events)
        for attributes in (span.attributes, *(event.attributes for event in span.events)):
            for name, value in (attributes or {}).items():
                _check_value(name, value)
        encode_spans([span]).SerializeToString()


def _check_value(name: str, value: Any) -> None:
    values = value if isinstance(value, tuple) else (value,)
    assert len({type(one) for one in values}) == 1, (name, value)
    for one in values:
        assert isinstance(one, (bool, int, float, str)), (name, value)
        if isinstance(one, str):
            one.encode()  # half an emoji would stop the export of everything
        elif isinstance(one, int):
            assert one in INT64, (name, value)
