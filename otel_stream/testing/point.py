"""A metric's point as a plain value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogramDataPoint,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
)

__all__ = ["Point", "changes", "read_points"]

Key = tuple[str, frozenset[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class Point:
    """One series of a metric: a number (`value`), or a histogram (all the others).

    Equal to another when all but the exemplars are.
    """

    attributes: Mapping[str, Any]
    value: float | None = None
    """The sum of a counter since `Captured.clear`, or the present value of any other number."""
    count: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None
    bounds: tuple[float, ...] = ()
    """The upper bounds of all buckets but the last; empty for an exponential histogram."""
    buckets: tuple[int, ...] = ()
    """How many values each bucket holds; one more than `bounds`."""
    unit: str = field(default="", compare=False)
    exemplars: tuple[Any, ...] = field(default=(), compare=False)
    """The SDK's exemplars, with `value`, `trace_id`, `span_id`."""
    adds_up: bool = field(default=False, compare=False, repr=False)
    """Whether the SDK gives what came since the last look (a delta), not a present value."""

    def plus(self, later: Point) -> Point:
        """This point and the one of a later look at the same series."""
        if not later.adds_up:
            return later
        if self.value is not None and later.value is not None:
            return replace(later, value=self.value + later.value)
        return replace(
            later,
            count=self.count + later.count,
            sum=self.sum + later.sum,
            min=min((p.min for p in (self, later) if p.min is not None), default=None),
            max=max((p.max for p in (self, later) if p.max is not None), default=None),
            buckets=tuple(a + b for a, b in zip(self.buckets, later.buckets, strict=True)),
            exemplars=self.exemplars + later.exemplars,
        )


def changes(data: MetricsData | None) -> Iterator[tuple[Key, Point]]:
    """Every point of one look at the metrics, with what tells its series apart."""
    if data is None:
        return
    metrics = (
        metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
    for metric in metrics:
        for point in read_points(metric):
            yield (metric.name, frozenset(point.attributes.items())), point


def read_points(metric: Metric) -> Iterator[Point]:
    """The points of one metric."""
    unit = metric.unit or ""
    temporality = None if isinstance(metric.data, Gauge) else metric.data.aggregation_temporality
    adds_up = temporality is AggregationTemporality.DELTA
    for found in metric.data.data_points:
        attributes, exemplars = dict(found.attributes or {}), tuple(found.exemplars or ())
        if isinstance(found, NumberDataPoint):
            yield Point(attributes, found.value, unit=unit, exemplars=exemplars, adds_up=adds_up)
            continue
        yield Point(
            attributes,
            None,
            found.count,
            found.sum,
            found.min,
            found.max,
            *_buckets(found),
            unit=unit,
            exemplars=exemplars,
            adds_up=adds_up,
        )


def _buckets(
    found: HistogramDataPoint | ExponentialHistogramDataPoint,
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    if isinstance(found, HistogramDataPoint):
        return tuple(found.explicit_bounds), tuple(found.bucket_counts)
    return (), ()
