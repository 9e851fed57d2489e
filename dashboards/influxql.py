"""InfluxQL, put together.

The agent writes all metrics into one measurement, `prometheus`, with the names that Prometheus has
as fields. Each point is what one interval has brought, summed over processes: sums are right, and
`derivative` would be wrong. There are no percentiles over buckets in InfluxQL, so means and the
share of streams under a threshold stand for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import names

__all__ = ["CHOSEN", "field", "mean", "rate", "share", "summed"]

MEASUREMENT = '"prometheus"'
CHOSEN = " AND ".join(
    f'"{tag}" =~ /^${variable}$/'
    for tag, variable in (
        (names.SERVICE_TAG, "service"), (names.PROVIDER, "provider"), (names.MODEL, "model"),
    )
)  # fmt: skip
STEP = "time($__interval)"


def field(name: str) -> str:
    """A field's name, quoted."""
    return f'"{name}"'


def _where(*conditions: str) -> str:
    return " AND ".join([CHOSEN, *(each for each in conditions if each)])


def _grouped(by: Sequence[str], fill: str) -> str:
    if not by:
        return ""
    return (
        f" GROUP BY {', '.join(each if each == STEP else field(each) for each in by)} fill({fill})"
    )


def summed(name: str, condition: str = "", by: Sequence[str] = (), fill: str = "0") -> str:
    """How much there was: in the whole range, or in each interval if that is in `by`."""
    return (
        f"SELECT sum({field(name)}) FROM {MEASUREMENT}"
        f" WHERE {_where(condition)} AND $timeFilter{_grouped(by, fill)}"
    )


def rate(name: str, factor: float, by: Sequence[str] = ()) -> str:
    """How much there was in each interval, as so much in `factor` seconds."""
    return (
        f"SELECT sum({field(name)}) / ($__interval_ms / 1000.0) * {factor:g} FROM {MEASUREMENT}"
        f" WHERE {_where()} AND $timeFilter{_grouped((STEP, *by), '0')}"
    )


def mean(metric: names.Metric, by: Sequence[str] = ()) -> str:
    """The mean of a histogram."""
    return (
        f"SELECT sum({field(metric.sum)}) / sum({field(metric.count)}) FROM {MEASUREMENT}"
        f" WHERE {_where()} AND $timeFilter{_grouped(by, 'none')}"
    )


def share(part: str, condition: str, whole: str, by: Sequence[str] = ()) -> str:
    """One field where a condition holds, divided by another everywhere."""
    return (
        'SELECT sum("part") / sum("whole") FROM'
        f' (SELECT {field(part)} AS "part" FROM {MEASUREMENT} WHERE {_where(condition)}),'
        f' (SELECT {field(whole)} AS "whole" FROM {MEASUREMENT} WHERE {_where()})'
        f" WHERE $timeFilter{_grouped(by, 'none')}"
    )
