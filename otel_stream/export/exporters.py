"""Exporters and queues of the SDK that raise nothing, log nothing, and count what is lost.

Imported only when a private provider is made, because it needs the SDK.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
)
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from otel_stream.export.delivery import deliver
from otel_stream.export.watch import Watch

__all__ = ["LogQueue", "SpanQueue", "WatchedLogs", "WatchedMetrics", "WatchedSpans"]


class WatchedSpans(SpanExporter):
    """A span exporter under a watch."""

    def __init__(self, exporter: SpanExporter, watch: Watch) -> None:
        self._exporter = exporter
        self._watch = watch

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch, or keep it until it can be exported."""
        went_well = deliver(spans, self._send, self._watch)
        return SpanExportResult.SUCCESS if went_well else SpanExportResult.FAILURE

    def _send(self, spans: Sequence[ReadableSpan]) -> bool:
        return self._exporter.export(spans) is not SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """End the exporter and the watch."""
        self._watch.close(self._exporter.shutdown)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush what the exporter itself holds back."""
        return self._exporter.force_flush(timeout_millis)


class WatchedLogs(LogRecordExporter):
    """A log exporter under a watch."""

    def __init__(self, exporter: LogRecordExporter, watch: Watch) -> None:
        self._exporter = exporter
        self._watch = watch

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export a batch, or keep it until it can be exported."""
        went_well = deliver(batch, self._send, self._watch)
        return LogRecordExportResult.SUCCESS if went_well else LogRecordExportResult.FAILURE

    def _send(self, batch: Sequence[ReadableLogRecord]) -> bool:
        return self._exporter.export(batch) is not LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """End the exporter and the watch."""
        self._watch.close(self._exporter.shutdown)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush what the exporter itself holds back."""
        return self._exporter.force_flush(timeout_millis)


class WatchedMetrics(MetricExporter):
    """A metric exporter under a watch, with the temporality and aggregation of that exporter."""

    def __init__(self, exporter: MetricExporter, watch: Watch) -> None:
        super().__init__(
            preferred_temporality=exporter._preferred_temporality,
            preferred_aggregation=exporter._preferred_aggregation,
        )
        self._exporter = exporter
        self._watch = watch

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any
    ) -> MetricExportResult:
        """Export one collection. It is not kept: the next one has it all, but for deltas."""
        verdict = self._watch.attempt(
            lambda: (
                self._exporter.export(metrics_data, timeout_millis=timeout_millis)
                is not MetricExportResult.FAILURE
            )
        )
        if verdict.then == "sent":
            return MetricExportResult.SUCCESS
        if verdict.then == "smaller":
            self._watch.complain()
        self._watch.missed += 1
        return MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """End the exporter and the watch."""
        self._watch.close(lambda: self._exporter.shutdown(timeout_millis=timeout_millis))

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush what the exporter itself holds back."""
        return self._exporter.force_flush(timeout_millis)


class SpanQueue(BatchSpanProcessor):
    """The SDK's queue, which drops and counts what is new when it is full.

    The SDK's own way is to drop the oldest and to log it again and again.
    """

    def __init__(self, exporter: SpanExporter, watch: Watch, delay: float | None) -> None:
        super().__init__(exporter, schedule_delay_millis=delay)
        self._watch = watch
        self._queue = watch.queue = _queue(self._batch_processor)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span that has ended."""
        sampled = span.context is not None and span.context.trace_flags.sampled
        if sampled and len(self._queue) >= self._queue.maxlen:
            self._watch.drop()
        else:
            super().on_end(span)


class LogQueue(BatchLogRecordProcessor):
    """The same for log records."""

    def __init__(self, exporter: LogRecordExporter, watch: Watch, delay: float | None) -> None:
        super().__init__(exporter, schedule_delay_millis=delay)
        self._watch = watch
        self._queue = watch.queue = _queue(self._batch_processor)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a log record."""
        if len(self._queue) >= self._queue.maxlen:
            self._watch.drop()
        else:
            super().on_emit(log_record)


def _queue(processor: Any) -> Any:
    """The SDK's queue, a private part; if that is gone, one that is never full: its way stands."""
    queue = getattr(processor, "_queue", None)
    return queue if getattr(queue, "maxlen", None) is not None else deque(maxlen=1)
