"""From what was taken to what is quoted."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

Series = dict[str, list[Any]]
"""Answers of `contender.py` under `bare` and `contender`, taken in turns."""


@dataclass(frozen=True)
class Added:
    """CPU that a contender adds, in microseconds."""

    bare: float
    """The bare SDK, minimum."""
    minimum: float
    """Difference of the two minima."""
    median: float
    """Median of the differences between neighbours in time."""

    @classmethod
    def of(cls, series: Series) -> Added:
        """Compare the two sides."""
        bare = [one["cpu"] for one in series["bare"]]
        contender = [one["cpu"] for one in series["contender"]]
        paired = [b - a for a, b in zip(bare, contender, strict=True)]
        return cls(min(bare), min(contender) - min(bare), statistics.median(paired))


MARKS = tuple(range(250, 10_001, 250))
"""Chunks after which the memory of an open stream is looked at."""


@dataclass(frozen=True)
class Kept:
    """Bytes that a contender keeps for each chunk of a stream that is still open."""

    first: float
    """Over the first thousand chunks."""
    later: float
    """Over those from the second thousand to the tenth."""

    @classmethod
    def of(cls, series: Series) -> Kept:
        """Medians over the passes of what it holds beyond the bare SDK.

        The most that is held within each thousand counts, so that it does not matter when a
        contender that keeps some chunks for a while lets go of them.
        """
        pairs = list(zip(series["bare"], series["contender"], strict=True))
        held = {
            mark: statistics.median(b[str(mark)] - a[str(mark)] for a, b in pairs) for mark in MARKS
        }
        first, second, tenth = (
            max(held[mark] for mark in MARKS if thousand < mark <= thousand + 1000)
            for thousand in (0, 1000, 9000)
        )
        return cls(first / 1000, (tenth - second) / 8000)
