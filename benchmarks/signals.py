"""OpenTelemetry providers for the contenders: they record everything and export it to nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult


class NullSpanExporter(SpanExporter):
    """Counts spans and drops them."""

    def __init__(self) -> None:
        self.count = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Count."""
        self.count += len(spans)
        return SpanExportResult.SUCCESS


class NullLogExporter(LogRecordExporter):
    """Counts log records and drops them."""

    def __init__(self) -> None:
        self.count = 0

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Count."""
        self.count += len(batch)
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing to close."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back."""
        return True


@dataclass
class Signals:
    """The providers of one process. The metric reader never collects while something is timed."""

    spans: NullSpanExporter = field(default_factory=NullSpanExporter)
    logs: NullLogExporter = field(default_factory=NullLogExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    tracer_provider: TracerProvider = field(default_factory=TracerProvider)
    logger_provider: LoggerProvider = field(default_factory=LoggerProvider)
    meter_provider: MeterProvider = field(init=False)

    def __post_init__(self) -> None:
        self.meter_provider = MeterProvider([self.reader])

    def start(self) -> None:
        """Export to nowhere, in batches, and be the global providers."""
        self.tracer_provider.add_span_processor(BatchSpanProcessor(self.spans))
        self.logger_provider.add_log_record_processor(BatchLogRecordProcessor(self.logs))
        trace.set_tracer_provider(self.tracer_provider)
        metrics.set_meter_provider(self.meter_provider)
        _logs.set_logger_provider(self.logger_provider)

    def settle(self) -> None:
        """Wait until what was recorded has been exported."""
        self.tracer_provider.force_flush()
        self.logger_provider.force_flush()

    def metric_names(self) -> list[str]:
        """Collect once: the names of the metrics that have points."""
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return sorted({metric.name for scope in scopes for metric in scope.metrics})
