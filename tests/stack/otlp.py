"""OTLP JSON as plain values that can be compared, wherever it was written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Point", "files", "lines", "log_records", "points", "spans"]


class Point(NamedTuple):
    """One data point of a metric: its value, or of a histogram the count, sum and buckets."""

    time: int
    unit: str
    value: float | None
    count: int
    sum: float
    buckets: tuple[int, ...]
    bounds: tuple[float, ...]
    monotonic: bool

    @property
    def figures(self) -> tuple[Any, ...]:
        """All but the time."""
        return self[1:]


def files(folder: Path, signal: str) -> list[Path]:
    """The files of a signal in a folder, the rotated ones first."""
    current = folder / f"{signal}.jsonl"
    return [*sorted(folder.glob(f"{signal}[-.]*.jsonl")), *([current] if current.exists() else [])]


def lines(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The whole lines of files."""
    for path in paths:
        with path.open("rb") as file:
            yield from (json.loads(line) for line in file if line.endswith(b"\n"))


def spans(batches: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """All spans by trace and span id. Of doubles the last."""
    return {
        (span["traceId"], span["spanId"]): _span(span, resource, scope)
        for resource, scope, span in _items(batches, "resourceSpans", "scopeSpans", "spans")
    }


def log_records(batches: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All log records, oldest first."""
    found = [
        {
            "time": record["timeUnixNano"],
            "event": record.get("eventName", ""),
            "span": record.get("spanId", ""),
            "attributes": _attributes(record),
        }
        for _, _, record in _items(batches, "resourceLogs", "scopeLogs", "logRecords")
    ]
    return sorted(found, key=lambda record: (record["time"], record["event"]))


def points(
    batches: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, frozenset[tuple[str, Any]], str], Point]:
    """The latest point of each series: by metric, attributes, and the process's id."""
    found: dict[tuple[str, frozenset[tuple[str, Any]], str], Point] = {}
    for resource, _, metric in _items(batches, "resourceMetrics", "scopeMetrics", "metrics"):
        for labels, point in _points(metric):
            key = (metric["name"], labels, resource.get("service.instance.id", ""))
            if key not in found or point.time >= found[key].time:
                found[key] = point
    return found


def _items(
    batches: Iterable[Mapping[str, Any]], resources: str, scopes: str, items: str
) -> Iterator[tuple[dict[str, Any], str, Mapping[str, Any]]]:
    """Each item of a signal, with the attributes of its resource and the name of its scope."""
    for batch in batches:
        for each in batch[resources]:
            resource = _attributes(each.get("resource", {}))
            yield from (
                (resource, scoped.get("scope", {}).get("name", ""), item)
                for scoped in each[scopes]
                for item in scoped[items]
            )


def _span(span: Mapping[str, Any], resource: dict[str, Any], scope: str) -> dict[str, Any]:
    return {
        "name": span["name"],
        "kind": span.get("kind"),
        "parent": span.get("parentSpanId", ""),
        "start": span["startTimeUnixNano"],
        "end": span["endTimeUnixNano"],
        "status": span.get("status", {}).get("code", 0),
        "message": span.get("status", {}).get("message", ""),
        "attributes": _attributes(span),
        "events": [
            (event["timeUnixNano"], event["name"], _attributes(event))
            for event in sorted(
                span.get("events", ()), key=lambda each: (each["timeUnixNano"], each["name"])
            )
        ],
        "resource": resource,
        "scope": scope,
    }


def _points(metric: Mapping[str, Any]) -> Iterator[tuple[frozenset[tuple[str, Any]], Point]]:
    data = metric.get("sum") or metric.get("gauge") or metric.get("histogram") or {}
    for each in data.get("dataPoints", ()):
        value = each.get("asDouble", each.get("asInt"))
        yield (
            frozenset(_attributes(each).items()),
            Point(
                time=int(each["timeUnixNano"]),
                unit=metric.get("unit", ""),
                value=None if value is None else float(value),
                count=int(each.get("count", 0)),
                sum=float(each.get("sum", 0.0)),
                buckets=tuple(map(int, each.get("bucketCounts", ()))),
                bounds=tuple(map(float, each.get("explicitBounds", ()))),
                monotonic=bool(data.get("isMonotonic")),
            ),
        )


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {each["key"]: _value(each["value"]) for each in holder.get("attributes", ())}


def _value(value: Mapping[str, Any]) -> Any:
    [(kind, held)] = value.items()
    match kind:
        case "intValue":
            return int(held)
        case "doubleValue":
            return float(held)
        case "arrayValue":
            return tuple(_value(each) for each in held.get("values", ()))
        case "kvlistValue":
            return {each["key"]: _value(each["value"]) for each in held.get("values", ())}
    return held
