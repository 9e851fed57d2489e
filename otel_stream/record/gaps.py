"""The provider's waits between chunks: exact up to 1,000, within 5 % beyond, in fixed memory."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence

__all__ = ["EXACT", "Gaps", "Quantiles"]

EXACT = 1000
"""How many waits are kept one by one before they are folded into the sketch."""

# DDSketch (Masson, Rim, Lee, VLDB 2019): buckets whose bounds grow by a factor keep every quantile
# within a relative error of (factor - 1) / (factor + 1), here 4.3 %.
_FACTOR = 1.09
_LOG_FACTOR = math.log(_FACTOR)
_SMALLEST = 1e-9

Quantiles = tuple[float, float, float]


class Gaps:
    """Collects the waits of one stream (s).

    `add` is the hot path and is nothing but the append of an array. The owner calls `fold`
    when `full` and hands the batch to the metric; from then on these waits are only counted.
    """

    __slots__ = ("_buckets", "_folded", "_max", "_sum", "_values", "add")

    def __init__(self) -> None:
        self._values = array("d")
        self.add = self._values.append
        self._buckets: dict[int, int] = {}
        self._folded = 0
        self._max = 0.0
        self._sum = 0.0

    def __len__(self) -> int:
        return self._folded + len(self._values)

    @property
    def total(self) -> float:
        """The sum of all waits (s)."""
        return self._sum + sum(self._values)

    def forget_last(self) -> float:
        """Take back the last wait (s): it was no gap between two chunks."""
        return self._values.pop()

    @property
    def kept(self) -> int:
        """How many waits are kept one by one."""
        return len(self._values)

    @property
    def full(self) -> bool:
        """Whether the next wait should be preceded by a `fold`."""
        return len(self._values) >= EXACT

    @property
    def batch(self) -> Sequence[float]:
        """The waits kept one by one, in order of arrival (s)."""
        return self._values

    def fold(self) -> Sequence[float]:
        """Forget the waits kept so far but for buckets, sum and maximum; return them, sorted."""
        values = sorted(self._values)
        del self._values[:]
        if values:
            _fill(self._buckets, values)
            self._folded += len(values)
            self._sum += sum(values)
            self._max = max(self._max, values[-1])
        return values

    def quantiles(self) -> Quantiles | None:
        """Median, 95th percentile and maximum (s), by nearest rank; None without waits."""
        values = sorted(self._values)
        if not self._folded:
            return _exact(values) if values else None
        buckets = dict(self._buckets)
        _fill(buckets, values)
        count = self._folded + len(values)
        largest = max(self._max, values[-1]) if values else self._max
        p50, p95 = (min(_rank(buckets, math.ceil(q * count)), largest) for q in (0.5, 0.95))
        return p50, p95, largest


def _exact(values: list[float]) -> Quantiles:
    last = len(values) - 1
    p50, p95 = (values[min(math.ceil(q * len(values)) - 1, last)] for q in (0.5, 0.95))
    return p50, p95, values[last]


def _fill(buckets: dict[int, int], values: list[float]) -> None:
    """Count sorted `values` into `buckets`, one step for each bucket rather than each value."""
    start = 0
    while start < len(values):
        index = math.ceil(math.log(max(values[start], _SMALLEST)) / _LOG_FACTOR)
        # The bound may round to just below the value itself; a step of at least one goes on.
        stop = max(bisect_right(values, _FACTOR**index, start), start + 1)
        buckets[index] = buckets.get(index, 0) + stop - start
        start = stop


def _rank(buckets: dict[int, int], rank: int) -> float:
    seen = 0
    index = 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen >= rank:
            break
    return float(2 * _FACTOR**index / (1 + _FACTOR))
