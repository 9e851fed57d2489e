"""Makes the SDK's providers with their exporters. Imported only when a private one is needed."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_stream.errors import guard
from otel_stream.export.destination import FILE, GRPC, HTTP, PROMETHEUS, Destination, check
from otel_stream.export.exporters import (
    LogQueue,
    SpanQueue,
    WatchedLogs,
    WatchedMetrics,
    WatchedSpans,
)
from otel_stream.export.faults import Faults
from otel_stream.export.lines import LineFile
from otel_stream.export.otlp import Judge, options
from otel_stream.export.secrets import quiet
from otel_stream.export.watch import Watch
from otel_stream.settings import Settings

__all__ = ["Exit", "exits", "load", "make"]

_BATCH_DELAY = 1_000.0
"""Milliseconds that ended spans and log records wait (the SDK: 5,000 and 1,000)."""
_METRIC_INTERVAL = 10_000.0
"""Milliseconds between two exports of metrics (the SDK: 60,000)."""
_ANOTHER_FOLDER = "set OTEL_STREAM_DATA_DIR, or data_dir, to a folder that can be written"
_PACKAGES = {
    FILE: "opentelemetry.exporter.otlp.json.file",
    HTTP: "opentelemetry.exporter.otlp.proto.http",
    GRPC: "opentelemetry.exporter.otlp.proto.grpc",
}
_MODULES = {"traces": "trace_exporter", "metrics": "metric_exporter", "logs": "_log_exporter"}
_CLASSES = {"traces": "SpanExporter", "metrics": "MetricExporter", "logs": "LogExporter"}


class Exit(NamedTuple):
    """A way out of a provider: an exporter (or a reader that others read), and its watch."""

    exporter: Any
    watch: Watch


def load(place: Destination) -> Any:
    """The class of the exporter, imported with all that it needs."""
    signal, name, _ = place
    if name == PROMETHEUS:
        return import_module("otel_stream.export.scrape").Endpoint
    if name not in _PACKAGES:
        (entry_point,) = entry_points(group=f"opentelemetry_{signal}_exporter", name=name)
        return entry_point.load()
    if name == HTTP:
        import_module("requests")  # which the exporter puts off until it is made
    module = import_module(f"{_PACKAGES[name]}.{_MODULES[signal]}")
    return getattr(module, ("File" if name == FILE else "OTLP") + _CLASSES[signal])


def exits(places: list[Destination], settings: Settings, faults: Faults) -> list[Exit]:
    """Make the exporters. One that cannot be made is said and left out."""
    made: list[Exit] = []
    for place in places:
        with guard(f"making the exporter of {place.signal} to {place.where}"):
            check(place)
            exporter, judge = _exporter(place, settings)
            made.append(Exit(exporter, _watch(place, exporter, faults, judge)))
    return made


def make(signal: str, settings: Settings, ways: list[Exit]) -> Any:
    """Make the provider of a signal. It is in nobody's way: not global, and ended by nobody but us.

    The SDK's own variables (samplers, limits, queues, intervals, exemplars) hold, read by the SDK.
    """
    named = {SERVICE_NAME: settings.service_name} if settings.service_name else None
    return _MAKERS[signal](Resource.create(named), ways)


def _exporter(place: Destination, settings: Settings) -> tuple[Any, Judge | None]:
    kind = load(place)
    if place.exporter == PROMETHEUS:
        return kind(settings.prometheus_host, settings.prometheus_port), None
    if place.exporter == FILE:
        file = LineFile(place.where, max_bytes=settings.data_max_bytes, keep=settings.data_files)
        return kind(stream=file), None
    if place.exporter not in (HTTP, GRPC):
        return kind(), None
    given, judge = options(place)
    with quiet():
        return kind(**given), judge


def _watch(place: Destination, exporter: object, faults: Faults, judge: Judge | None) -> Watch:
    loggers = {kind.__module__ for kind in type(exporter).__mro__ if kind is not object}
    where = getattr(exporter, "url", place.where)
    remedy = _ANOTHER_FOLDER if place.exporter == FILE else ""
    return Watch(place.signal, where, faults, sorted(loggers), remedy, judge)


def _traces(resource: Resource, ways: list[Exit]) -> TracerProvider:
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    delay = _unless_set("OTEL_BSP_SCHEDULE_DELAY", _BATCH_DELAY)
    for exporter, watch in ways:
        provider.add_span_processor(SpanQueue(WatchedSpans(exporter, watch), watch, delay))
    return provider


def _logs(resource: Resource, ways: list[Exit]) -> LoggerProvider:
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    delay = _unless_set("OTEL_BLRP_SCHEDULE_DELAY", _BATCH_DELAY)
    for exporter, watch in ways:
        provider.add_log_record_processor(LogQueue(WatchedLogs(exporter, watch), watch, delay))
    return provider


def _metrics(resource: Resource, ways: list[Exit]) -> MeterProvider:
    interval = _unless_set("OTEL_METRIC_EXPORT_INTERVAL", _METRIC_INTERVAL)
    readers = [
        exporter
        if isinstance(exporter, MetricReader)
        else PeriodicExportingMetricReader(WatchedMetrics(exporter, watch), interval)
        for exporter, watch in ways
    ]
    return MeterProvider(readers, resource=resource, shutdown_on_exit=False)


_MAKERS: dict[str, Any] = {"traces": _traces, "metrics": _metrics, "logs": _logs}


def _unless_set(variable: str, ours: float) -> float | None:
    """Our default, or None where the SDK is to read the variable."""
    return None if os.environ.get(variable) else ours
