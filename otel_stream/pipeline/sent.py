"""What was sent, in the terms in which back ends are asked."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple

from opentelemetry.exporter.otlp.json.file._log_exporter import FileLogExporter
from opentelemetry.exporter.otlp.json.file.metric_exporter import FileMetricExporter
from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter

from otel_stream.pipeline.marked import Marked
from otel_stream.pipeline.otlp import Event, Point, PointKey, Span, points, records, spans

__all__ = ["Sent"]


class Sent(NamedTuple):
    """The marked stream as it is to be found."""

    instance: str
    trace_id: str
    seconds: float
    """How long its span is."""
    spans: dict[str, Span]
    points: dict[PointKey, Point]
    records: list[Event]

    @classmethod
    def of(cls, marked: Marked) -> Sent:
        """By way of the lines that our own files would hold."""
        return cls(
            marked.instance,
            marked.trace_id,
            marked.seconds,
            spans(_line(FileSpanExporter, marked.spans)),
            points(_line(FileMetricExporter, marked.metrics), marked.instance),
            records(_line(FileLogExporter, marked.logs), marked.trace_id),
        )


def _line(exporter: Any, telemetry: Any) -> Any:
    written = io.StringIO()
    exporter(stream=written).export(telemetry)
    return json.loads(written.getvalue())
