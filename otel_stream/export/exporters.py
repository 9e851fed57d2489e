"""Exporters and queues of the SDK that raise nothing, log nothing, and count what is lost.

Imported only when a private provider is made, because it needs the SDK.
"""

from __future__ import annotations

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

from otel_stream.export.faults import Watch

__all__ = ["LogQueue", "SpanQueue", "WatchedLogs", "WatchedMetrics", "WatchedSpans"]


class WatchedSpans(SpanExporter):
    """A span exporter under a watch."""

    def __init__(self, exporter: SpanExporter, watch: Watch) -> None:
        self._exporter = exporter
        self._watch = watch

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        went_well = self._watch.attempt(
            lambda: self._exporter.export(spans) is not SpanExportResult.FAILURE
        )
        return SpanExportResult.SUCCESS if went_well else SpanExportResult.FAILURE

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
        """Export a batch."""
        went_well = self._watch.attempt(
            lambda: self._exporter.export(batch) is not LogRecordExportResult.FAILURE
        )
        return LogRecordExportResult.SUCCESS if went_well else LogRecordExportResult.FAILURE

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
        """Export one collection."""
        went_well = self._watch.attempt(
            lambda: (
                self._exporter.export(metrics_data, timeout_millis=timeout_millis)
                is not MetricExportResult.FAILURE
            )
        )
        return MetricExportResult.SUCCESS if went_well else MetricExportResult.FAILURE

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

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span that has ended."""
        sampled = span.context is not None and span.context.trace_flags.sampled
        if sampled and _full(self._batch_processor):
            self._watch.drop()
        else:
            super().on_end(span)


class LogQueue(BatchLogRecordProcessor):
    """The same for log records."""

    def __init__(self, exporter: LogRecordExporter, watch: Watch, delay: float | None) -> None:
        super().__init__(exporter, schedule_delay_millis=delay)
        self._watch = watch

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a log record."""
        if _full(self._batch_processor):
            self._watch.drop()
        else:
            super().on_emit(log_record)


def _full(processor: Any) -> bool:
    """Whether the SDK's queue is full, by a private part; if that is gone, the SDK's way stands."""
    queue = getattr(processor, "_queue", None)
    limit = getattr(queue, "maxlen", None)
    return queue is not None and limit is not None and len(queue) >= limit
