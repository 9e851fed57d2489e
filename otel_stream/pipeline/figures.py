"""What the Collector's Prometheus exporter makes of our metrics: names, and a value for each.

`translation_strategy: UnderscoreEscapingWithSuffixes`, as collector-config has it: other characters
than letters and digits become underscores, units and counters get a suffix, and a histogram becomes
its sum, its count, and a cumulative count for each bucket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from otel_stream.pipeline.otlp import Point, PointKey

__all__ = ["Figures", "figures", "label", "totals"]

Figures = dict[str, list[tuple[dict[str, str], float]]]
"""Labels and value of each series, by the metric's name."""

_UNITS = {"s": "_seconds", "{token}/s": "_per_second"}
"""Units in braces leave no trace, as long as nothing is divided."""


def figures(points: Mapping[PointKey, Point]) -> Figures:
    """The series that stand for these points."""
    found: Figures = {}
    for (metric, attributes), point in points.items():
        name = _underscored(metric) + _UNITS.get(point.unit, "") + "_total" * point.monotonic
        labels = {_underscored(key): str(value) for key, value in attributes}
        for suffix, more, value in _samples(point):
            found.setdefault(name + suffix, []).append((labels | more, value))
    return found


def totals(points: Mapping[PointKey, Point]) -> dict[str, float]:
    """The sum over all series, of each metric that only grows and has grown."""
    growing = {key: point for key, point in points.items() if point.monotonic or point.buckets}
    sums = {name: sum(value for _, value in series) for name, series in figures(growing).items()}
    return {name: value for name, value in sums.items() if value}


def label(key: str, value: str) -> str:
    """A label's value, to compare: the bound of a bucket is written in more than one way."""
    if key != "le":
        return value
    try:
        return str(float(value))
    except ValueError:
        return value


def _samples(point: Point) -> Iterator[tuple[str, dict[str, str], float]]:
    if point.value is not None:
        yield "", {}, point.value
        return
    yield "_sum", {}, point.sum
    yield "_count", {}, float(point.observations)
    so_far = 0
    for count, bound in zip(point.buckets, [*point.bounds, float("inf")], strict=True):
        so_far += count
        yield "_bucket", {"le": str(bound)}, float(so_far)


def _underscored(name: str) -> str:
    return re.sub(r"\W", "_", name)
