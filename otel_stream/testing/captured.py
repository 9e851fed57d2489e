"""The telemetry of one test, in memory, through the real SDK.

    captured = Captured()
    otel_stream.instrument(
        tracer_provider=captured.tracer_provider,
        meter_provider=captured.meter_provider,
        logger_provider=captured.logger_provider,
    )
    ...
    assert captured.span().attributes["otel_stream.outcome"] == "completed"

Nothing global is set, so tests cannot see each other's telemetry.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry import context as context_api
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler

from otel_stream.testing.ids import CountingIds
from otel_stream.testing.point import Key, Point, changes

__all__ = ["Captured"]

_DELTA = AggregationTemporality.DELTA


class Captured:
    """Providers for traces, metrics and logs, and what arrived in them.

    Args:
        ids: Makes the ids of traces and spans; by default they count (`CountingIds`).
        sampler: Which spans are recorded; by default all.
        limits: The SDK's limits of a span; by default as the environment says.
        views: Views of the metrics.
    """

    def __init__(
        self,
        *,
        ids: IdGenerator | None = None,
        sampler: Sampler | None = None,
        limits: SpanLimits | None = None,
        views: Iterable[View] = (),
    ) -> None:
        resource = Resource({"service.name": "otel-stream-testing"})
        self._spans = _SpanKeeper()
        self._logs = _LogKeeper()
        self._points: dict[Key, Point] = {}
        self._reader = InMemoryMetricReader(
            {Counter: _DELTA, Histogram: _DELTA, ObservableCounter: _DELTA}
        )
        self.tracer_provider = TracerProvider(
            sampler=sampler,
            resource=resource,
            shutdown_on_exit=False,
            id_generator=ids or CountingIds(),
            span_limits=limits,
        )
        self.tracer_provider.add_span_processor(self._spans)
        self.meter_provider = MeterProvider(
            [self._reader], resource, shutdown_on_exit=False, views=list(views)
        )
        self.logger_provider = LoggerProvider(resource, shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(self._logs)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """The spans that have ended, in that order; only those with *name* if given."""
        return [span for span in self._spans.ended() if name is None or span.name == name]

    def span(self, name: str | None = None) -> ReadableSpan:
        """The only span that has ended (with *name*). Raises `AssertionError` otherwise."""
        found = self.spans(name)
        if len(found) == 1:
            return found[0]
        wanted = "one span" if name is None else f"one span {name!r}"
        ended = ", ".join(repr(span.name) for span in self.spans()) or "none"
        still = ", ".join(repr(span.name) for span in self.open_spans()) or "none"
        raise AssertionError(f"expected {wanted}, got {len(found)}; ended: {ended}; open: {still}")

    def open_spans(self) -> list[ReadableSpan]:
        """The spans that have begun and not ended."""
        return self._spans.open()

    def wait_for_spans(self, count: int = 1, timeout: float = 5.0) -> list[ReadableSpan]:
        """The ended spans, once there are *count*. Raises `AssertionError` after *timeout* s.

        For spans that end on another thread, such as those of streams that were dropped.
        """
        if not self._spans.wait_for(count, timeout):
            ended = [span.name for span in self.spans()]
            raise AssertionError(f"expected {count} spans within {timeout} s, got {ended}")
        return self.spans()

    def events(self, span: ReadableSpan | None = None) -> list[tuple[str, dict[str, Any]]]:
        """Name and attributes of each event of *span* (by default of the only one)."""
        events = (self.span() if span is None else span).events
        return [(event.name, dict(event.attributes or {})) for event in events]

    def metrics(self) -> dict[str, list[Point]]:
        """All points since the last `clear`, by the metric's name."""
        for key, point in changes(self._reader.get_metrics_data()):
            earlier = self._points.get(key)
            self._points[key] = point if earlier is None else earlier.plus(point)
        found: dict[str, list[Point]] = {}
        for (name, _series), point in self._points.items():
            found.setdefault(name, []).append(point)
        return found

    def point(self, name: str, attributes: Mapping[str, Any] | None = None) -> Point:
        """The only point of metric *name* that has (at least) these *attributes*.

        Raises:
            AssertionError: There is none, or there are several.
        """
        points = self.metrics().get(name, [])
        wanted = (attributes or {}).items()
        found = [one for one in points if wanted <= one.attributes.items()]
        if len(found) != 1:
            seen = [dict(one.attributes) for one in points]
            raise AssertionError(f"expected one point of {name}, got {len(found)} of {seen}")
        return found[0]

    def logs(self, name: str | None = None) -> list[Any]:
        """The log records (`.event_name`, `.body`, `.attributes`, …); with event name *name*."""
        return [one for one in self._logs.records() if name is None or one.event_name == name]

    def clear(self) -> None:
        """Forget what has arrived; spans that are open stay open."""
        self._spans.clear()
        self._logs.clear()
        self._reader.get_metrics_data()
        self._points.clear()

    def shutdown(self) -> None:
        """Shut the providers down; what has arrived can still be read, but for new metrics."""
        self.metrics()
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()
        self.logger_provider.shutdown()


class _SpanKeeper(SpanProcessor):
    """Keeps spans that are open and those that have ended."""

    def __init__(self) -> None:
        self._open: dict[int, ReadableSpan] = {}
        self._ended: list[ReadableSpan] = []
        self._changed = threading.Condition()

    def on_start(self, span: Span, parent_context: context_api.Context | None = None) -> None:
        with self._changed:
            self._open[span.get_span_context().span_id] = span

    def on_end(self, span: ReadableSpan) -> None:
        with self._changed:
            if span.context is not None:
                self._open.pop(span.context.span_id, None)
            self._ended.append(span)
            self._changed.notify_all()

    def ended(self) -> list[ReadableSpan]:
        with self._changed:
            return list(self._ended)

    def open(self) -> list[ReadableSpan]:
        with self._changed:
            return list(self._open.values())

    def wait_for(self, count: int, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self._ended) >= count, timeout)

    def clear(self) -> None:
        with self._changed:
            self._ended.clear()


class _LogKeeper(LogRecordProcessor):
    """Keeps log records."""

    def __init__(self) -> None:
        self._records: list[Any] = []

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        self._records.append(log_record.log_record)

    def records(self) -> list[Any]:
        return list(self._records)

    def clear(self) -> None:
        self._records.clear()

    def shutdown(self) -> None:
        """Nothing to shut down."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True
