"""Quantiles of the provider's waits: exact first, then within 5 %, always in fixed memory."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream.record.gaps import EXACT, Gaps

WAITS = st.floats(0.0, 1e5, allow_nan=False)
NO_WAIT = 2e-9
"""What a wait of nothing may be taken for (s)."""


def gaps_of(values: list[float]) -> Gaps:
    """A collector that was given *values* as a recorder does."""
    gaps = Gaps()
    for value in values:
        if gaps.full:
            gaps.fold()
        gaps.add(value)
    return gaps


def nearest_rank(values: list[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum of sorted values, in exact arithmetic."""
    ordered = sorted(values)
    ranks = (math.ceil(Fraction(q, 100) * len(ordered)) for q in (50, 95))
    p50, p95 = (ordered[rank - 1] for rank in ranks)
    return p50, p95, ordered[-1]


@given(st.lists(WAITS, min_size=1, max_size=60))
def test_exact(values: list[float]) -> None:
    """Waits kept one by one give the true quantiles."""
    assert gaps_of(values).quantiles() == nearest_rank(values)


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 21, 100, 999, EXACT])
def test_exact_up_to_a_thousand(count: int) -> None:
    """Up to the thousandth wait nothing is rounded."""
    values = [random.Random(count).expovariate(50) for _ in range(count)]

    assert gaps_of(values).quantiles() == nearest_rank(values)


def test_nothing() -> None:
    """Without waits there are no quantiles."""
    assert Gaps().quantiles() is None


SHAPES: dict[str, Callable[[random.Random], float]] = {
    "constant": lambda r: 0.02,
    "uniform": lambda r: r.uniform(0.0, 0.1),
    "exponential": lambda r: r.expovariate(50),
    "lognormal": lambda r: r.lognormvariate(-4, 1.5),
    "pareto": lambda r: 0.001 * r.paretovariate(0.8),
    "bursts": lambda r: r.choice([1e-6, 1e-6, 1e-6, 0.25]) * r.uniform(0.9, 1.1),
    "two sizes": lambda r: r.choice([0.001, 10.0]),
    "nothing at all": lambda r: 0.0,
    "many magnitudes": lambda r: 10 ** r.uniform(-8, 5),
}


def assert_near(found: tuple[float, float, float] | None, true: tuple[float, ...]) -> None:
    """Quantiles are within 5 %, the maximum exact."""
    assert found is not None
    assert found[:2] == pytest.approx(true[:2], rel=0.05, abs=NO_WAIT)
    assert found[2] == true[2]


@pytest.mark.parametrize("count", [EXACT + 1, 2 * EXACT, 7_777])
@pytest.mark.parametrize("shape", SHAPES)
def test_within_five_percent(shape: str, count: int) -> None:
    """Beyond a thousand the quantiles are within 5 % of the sorted truth, whatever the waits."""
    chance = random.Random(f"{shape} {count}")
    values = [SHAPES[shape](chance) for _ in range(count)]

    assert_near(gaps_of(values).quantiles(), nearest_rank(values))


@given(st.lists(WAITS, min_size=1, max_size=30), st.lists(WAITS, max_size=30))
def test_folded_at_any_time(before: list[float], after: list[float]) -> None:
    """Waits that were folded and waits that were not are taken together."""
    gaps = gaps_of(before)
    gaps.fold()
    for value in after:
        gaps.add(value)

    assert_near(gaps.quantiles(), nearest_rank(before + after))
    assert len(gaps) == len(before) + len(after)
    assert gaps.total == pytest.approx(math.fsum(before + after))


def test_fold_gives_the_batch() -> None:
    """Each wait is in exactly one batch: those that were folded, and the rest."""
    gaps = gaps_of([0.3, 0.1, 0.2])
    folded = list(gaps.fold())
    gaps.add(0.4)

    assert (sorted(folded), list(gaps.batch)) == ([0.1, 0.2, 0.3], [0.4])


def test_forget_last() -> None:
    """The last wait can be taken back."""
    gaps = gaps_of([0.1, 0.2])

    assert gaps.forget_last() == 0.2
    assert gaps.quantiles() == (0.1, 0.1, 0.1)


def test_memory_is_constant() -> None:
    """A hundred thousand waits of nine magnitudes take no more memory than ten thousand."""
    chance = random.Random(1)
    waits = [10 ** chance.uniform(-6, 3) for _ in range(100_000)]
    fewer, more = (
        sys.getsizeof(gaps._buckets) + sys.getsizeof(gaps._values)
        for gaps in (gaps_of(waits[:9_999]), gaps_of(waits[:99_999]))
    )

    assert more <= 1.1 * fewer < 50_000
