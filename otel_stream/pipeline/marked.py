"""The marked stream: a short one of our own, told as an instrumentor tells those of an SDK.

Its providers are private and made by arguments, so that no sampler, limit or switch that is set for
programs changes it. It holds whatever a stream can have: a first token, chunks, a stall, a tool
call, usage, its end, metrics, and log records.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_stream import semconv
from otel_stream.call import CallInfo
from otel_stream.delta import Delta, Failure, Finish, Found, Response, Text, ToolCall, Usage
from otel_stream.export.telemetry import Telemetry
from otel_stream.proxy import traced
from otel_stream.runtime import Runtime
from otel_stream.settings import Settings
from otel_stream.trace import Trace

__all__ = ["SERVICE", "Marked", "mark", "undisturbed"]

SERVICE = "otel-stream-check"
MODEL = "otel-stream-check"
PROVIDER = "otel_stream"

_CHUNK = 0.002
_STALL_AFTER = 0.05
_STALL = 0.06
"""A gateway that samples keeps streams that stalled, so this one is kept for certain. The stall is
real, against a threshold that is lower than a program's."""
_KEPT = ("OTEL_EXPORTER_OTLP_", "OTEL_PYTHON_EXPORTER_OTLP_")


class Marked(NamedTuple):
    """What is sent, and how it is known again."""

    instance: str
    spans: Sequence[ReadableSpan]
    metrics: MetricsData
    logs: Sequence[ReadableLogRecord]

    @property
    def trace_id(self) -> str:
        """In lower-case hex."""
        context = self.spans[0].context
        return f"{context.trace_id:032x}" if context is not None else ""

    @property
    def seconds(self) -> float:
        """How long the span is."""
        return ((self.spans[0].end_time or 0) - (self.spans[0].start_time or 0)) / 1e9


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block without the variables of OpenTelemetry, but for those that say how to send.

    Some are read by the SDK whatever it is given, `OTEL_SDK_DISABLED` among them.
    """
    taken = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("OTEL_") and not name.startswith(_KEPT)
    }
    try:
        yield
    finally:
        os.environ.update(taken)


def mark() -> Marked:
    """Make the stream. Takes a tenth of a second."""
    # Without dashes it has no run of digits between them that a redaction would take for a number.
    instance = uuid.uuid4().hex
    resource = Resource({semconv.SERVICE_NAME: SERVICE, "service.instance.id": instance})
    with undisturbed():
        spans, logs, reader = _telemetry(resource)
    metrics = reader.get_metrics_data()
    if metrics is None or not spans.get_finished_spans():
        raise RuntimeError("the marked stream left nothing to send")
    return Marked(instance, spans.get_finished_spans(), metrics, logs.get_finished_logs())


def _telemetry(
    resource: Resource,
) -> tuple[InMemorySpanExporter, Any, InMemoryMetricReader]:
    """What the stream leaves in providers made for it."""
    spans, logs, reader = (
        InMemorySpanExporter(),
        InMemoryLogRecordExporter(),  # type: ignore[no-untyped-call]
        InMemoryMetricReader(),
    )
    tracers = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, span_limits=SpanLimits())
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers = LoggerProvider(resource, shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    settings = Settings(stall_after=_STALL_AFTER, events="both")
    telemetry = Telemetry(
        settings,
        tracer_provider=tracers,
        meter_provider=MeterProvider([reader], resource, shutdown_on_exit=False),
        logger_provider=loggers,
        begin=False,
    )
    _stream(settings, telemetry)
    return spans, logs, reader


def _stream(settings: Settings, telemetry: Telemetry) -> None:
    info = CallInfo(operation="chat", provider=PROVIDER, model=MODEL, server_address="localhost")
    trace = Trace(Runtime(settings, telemetry), info, _Told())
    pieces = _pieces()
    for _ in traced(pieces, (pieces, None), trace.recorder, trace.context):
        pass


def _pieces() -> Iterator[list[Delta]]:
    """What a provider would send, in its time."""
    yield [Response("check", MODEL)]
    for word in ("This ", "stream ", "is ", "marked"):
        time.sleep(_CHUNK)
        yield [Text(word)]
    time.sleep(_STALL)
    yield [Text(".")]
    yield [ToolCall(0, name="check", id="call_check", arguments="{}")]
    yield [Finish("stop"), Usage(9, 6)]


class _Told:
    """A reader for deltas that come ready made."""

    def read(self, chunk: Any) -> Found:
        return chunk  # type: ignore[no-any-return]

    def whole(self, done: bool) -> bool:
        return True

    def failure(self, error: BaseException) -> Failure | None:
        return None
