"""OTLP JSON, ours or a back end's, as plain values that can be compared. Knows no files.

The encoding is proto3 JSON with hex ids (opentelemetry-proto, docs/specification.md). What is not
as it should be raises one of `UNREADABLE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["UNREADABLE", "Event", "Point", "PointKey", "Span", "points", "records", "spans"]

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)
"""What reading an answer that is no OTLP JSON may raise."""

Batch = Mapping[str, Any]
Event = tuple[int, str, dict[str, Any]]
"""Time (ns since the epoch), name, attributes."""
PointKey = tuple[str, frozenset[tuple[str, Any]]]
"""A metric's name, and the attributes of one of its points."""


class Span(NamedTuple):
    """What is compared of a span."""

    attributes: dict[str, Any]
    events: list[Event]


class Point(NamedTuple):
    """A data point: its value, or of a histogram the sum and the buckets."""

    unit: str
    value: float | None
    monotonic: bool
    observations: int
    sum: float
    buckets: tuple[int, ...]
    bounds: tuple[float, ...]


def spans(batch: Batch) -> dict[str, Span]:
    """The spans by their ids. Of doubles the last."""
    return {
        str(span["spanId"]): Span(
            _attributes(span),
            [(int(e["timeUnixNano"]), e["name"], _attributes(e)) for e in span.get("events") or ()],
        )
        for resource in batch.get("resourceSpans") or ()
        for scope in resource.get("scopeSpans") or ()
        for span in scope.get("spans") or ()
    }


def points(batch: Batch, instance: str) -> dict[PointKey, Point]:
    """The points of one service instance, by metric and attributes. Of several the last."""
    return {
        (metric["name"], labels): point
        for resource in batch.get("resourceMetrics") or ()
        if _attributes(resource.get("resource") or {}).get("service.instance.id") == instance
        for scope in resource.get("scopeMetrics") or ()
        for metric in scope.get("metrics") or ()
        for labels, point in _points(metric)
    }


def records(batch: Batch, trace_id: str) -> list[Event]:
    """The log records that belong to a trace: time, event's name, attributes."""
    return [
        (int(record["timeUnixNano"]), record.get("eventName", ""), _attributes(record))
        for resource in batch.get("resourceLogs") or ()
        for scope in resource.get("scopeLogs") or ()
        for record in scope.get("logRecords") or ()
        if record.get("traceId") == trace_id
    ]


def _points(metric: Mapping[str, Any]) -> Iterator[tuple[frozenset[tuple[str, Any]], Point]]:
    data = metric.get("sum") or metric.get("gauge") or metric.get("histogram") or {}
    for each in data.get("dataPoints") or ():
        value = each.get("asDouble", each.get("asInt"))
        yield (
            frozenset(_attributes(each).items()),
            Point(
                unit=metric.get("unit", ""),
                value=None if value is None else float(value),
                monotonic=bool(data.get("isMonotonic")),
                observations=int(each.get("count", 0)),
                sum=float(each.get("sum", 0.0)),
                buckets=tuple(map(int, each.get("bucketCounts") or ())),
                bounds=tuple(map(float, each.get("explicitBounds") or ())),
            ),
        )


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {each["key"]: _value(each["value"]) for each in holder.get("attributes") or ()}


def _value(value: Mapping[str, Any]) -> Any:
    for kind, held in value.items():
        match kind:
            case "intValue":
                return int(held)
            case "doubleValue":
                return float(held)
            case "arrayValue":
                return tuple(_value(each) for each in held.get("values") or ())
            case "kvlistValue":
                return tuple((each["key"], _value(each["value"])) for each in held["values"])
        return held
    return None
