"""PromQL, put together.

Figures come from two sources: the SDK's metrics, and what agents make from the spans of services
that send no metrics. A recording rule joins the two once (`joined`), so that a service with both
counts once, and dashboards and alerts read only the rule. What reads the raw series does so for
exemplars, which rules do not keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "CLOCK", "Matchers", "average", "both", "counted", "fraction", "joined", "percentile",
    "quantile", "rate", "selected", "total", "united", "weight", "with_exemplars",
]  # fmt: skip

# How far back a recorded rate looks, in the words of PromQL and in seconds.
WINDOW, WINDOW_SECONDS = "5m", 300
# A series that was there at none of these times is a new one.
BEFORE = ("5m", "15m", "1h")

# Recorded at each evaluation of the rules, so that they can be counted.
CLOCK = "otel_stream:evaluation"

Matchers = Mapping[str, str]


def both(*matchers: Matchers) -> dict[str, str]:
    """Several sets of matchers as one."""
    return {name: value for each in matchers for name, value in each.items()}


def selected(series: str, matchers: Matchers | None = None) -> str:
    """A selector. `~` in front of a value: a regular expression; `!~`: one that must not fit."""
    if not matchers:
        return series
    return f"{series}{{{', '.join(_matcher(*each) for each in matchers.items())}}}"


def _matcher(name: str, value: str) -> str:
    if value.startswith("!~"):
        return f'{name}!~"{value[2:]}"'
    if value.startswith("~"):
        return f'{name}=~"{value[1:]}"'
    return f'{name}="{value}"'


def rate(series: str) -> str:
    """What a counter grows by a second, also by what a new series already holds.

    A counter's series begins with its first count, from which `rate` sees no growth: a process that
    lives as long as one stream would never be seen, nor the first error of any process.
    """
    old = " ".join(f"unless {series} offset {ago}" for ago in BEFORE)
    return f"({series} {old}) / {WINDOW_SECONDS} or rate({series}[{WINDOW}])"


def _by(labels: Iterable[str]) -> str:
    return f"sum by ({', '.join(labels)})"


def counted(sources: Sequence[str], labels: Iterable[str]) -> str:
    """The rate of one counter, or of several names for the same, summed to these labels."""
    return united([rate(source) for source in sources], labels)


def united(parts: Sequence[str], labels: Iterable[str]) -> str:
    """The sum over series of several names. No two of them may have the same labels."""
    inner = "\n  or\n".join(f"  {part}" for part in parts)
    return f"{_by(labels)} (\n{inner}\n)"


def joined(sdk: str, spans: str, present: str, service: str) -> str:
    """The SDK's figure; from the spans that of services of which the SDK's series are absent."""
    return f"{sdk}\nor\n(\n{spans}\nunless on ({service}) {present}\n)"


# --- over what rules have recorded


def average(
    rule: str, by: Iterable[str], window: str = "$__rate_interval", offset: str = ""
) -> str:
    """A recorded rate, summed, as its average over the time that one point of a graph stands for.

    Over all evaluations in that time, not only those at which a series was there: an error that has
    come just now is not an error that has come all the time.
    """
    ago = f" offset {offset}" if offset else ""
    return f"{weight(rule, by, window, offset)} / scalar(count_over_time({CLOCK}[{window}]{ago}))"


def weight(rule: str, by: Iterable[str], window: str = "$__range", offset: str = "") -> str:
    """What a recorded rate amounts to in a time, up to a factor: for shares and percentiles."""
    ago = f" offset {offset}" if offset else ""
    return f"{_by(by)} (sum_over_time({rule}[{window}]{ago}))"


def total(rule: str, by: Iterable[str]) -> str:
    """What a recorded rate amounts to in the whole time range; nothing counts as nothing."""
    return f"sum_over_time(({_by(by)} ({rule}))[$__range:1m]) * 60"


def fraction(part: str, whole: str, by: Sequence[str] = ()) -> str:
    """`part` of `whole`, 0 where there is no part at all, nothing where there is no whole.

    Both are sums by the labels of `by`.
    """
    on = f" on ({', '.join(by)})" if by else ""
    return f"(({part}) or{on} 0 * ({whole})) / ({whole} > 0)"


def quantile(q: float, buckets: str) -> str:
    """A percentile from buckets that are summed by `le`; nothing where nothing was counted."""
    return f"histogram_quantile({q:g}, {buckets}) > 0"


def percentile(
    q: float, rule: str, by: Sequence[str] = (), window: str = "$__rate_interval"
) -> str:
    """A percentile over what a rule has recorded of a histogram's buckets."""
    return quantile(q, weight(rule, (*by, "le"), window))


def with_exemplars(recorded: str, q: float, raw: Sequence[str]) -> str:
    """The recorded percentile, with the raw histograms behind it.

    Grafana asks for the exemplars of the series that stand in the query, and those of rules have
    none. The raw figures show only where there is no recorded one: without our rules.
    """
    behind = [quantile(q, f"sum by (le) (rate({series}[$__rate_interval]))") for series in raw]
    return "\nor ".join([recorded, *behind])
