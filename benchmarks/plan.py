"""What is measured of every contender, in which order, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environments
from contenders import Contender
from figures import MARKS, Added, Kept, Series
from pairs import ContenderError, Pair

CHUNKS = 4000
"""Text deltas of a replayed answer."""
PARSED = 2000
"""Text deltas of a parsed answer."""
SHORT = 3
"""Text deltas of the short streams that show the fixed cost."""
CALLS = 50
"""Short streams in one repeat."""


@dataclass(frozen=True)
class Effort:
    """Passes over all contenders, and repeats of each measure in a pass."""

    passes: int
    extra: int
    """Passes more for contenders that only met a slowed machine."""
    loop: int
    parse: int
    calls: int


FULL = Effort(passes=3, extra=2, loop=15, parse=7, calls=9)
QUICK = Effort(passes=1, extra=0, loop=7, parse=3, calls=5)


@dataclass
class Result:
    """All that is known of one contender."""

    series: dict[str, dict[str, Series]] = field(default_factory=dict)
    """By library and measure."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why a measure is missing."""
    versions: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)

    def add(self, library: str, measure: str, taken: Series) -> None:
        """Add what one more pass has taken."""
        series = self.series.setdefault(library, {}).setdefault(measure, {})
        for side, values in taken.items():
            series.setdefault(side, []).extend(values)


class Plan:
    """Runs the measures of one contender, in as many passes as one likes."""

    def __init__(
        self, contender: Contender, effort: Effort, say: Callable[[str], None], logs: Path
    ) -> None:
        self.contender = contender
        self.effort = effort
        self.say = say
        self.logs = logs
        self.result = Result()

    def run(self) -> None:
        """One pass, in fresh processes; what fails is told in `result.failed`."""
        try:
            python = environments.python(self.contender.requirements)
        except environments.InstallError as error:
            self.result.failed["install"] = "its pinned packages could not be installed"
            self.say(f"cannot be installed: {error}")
            return
        pair: Pair | None = None
        for library, measure, repeats, request in self.steps():
            try:
                pair = pair or Pair(python, self.contender, self.logs)
                warm = 0 if measure == "memory" else 2
                taken = pair.compare(repeats, warm, measure=measure, library=library, **request)
            except ContenderError as error:
                self.mourn(pair, f"{library} {measure}", error)
                pair = None
                continue
            self.result.add(library, measure, taken)
            self.say(f"{library:9} {measure:7} {spoken(measure, taken)}")
        if pair:
            self.result.versions, self.result.evidence = pair.versions, pair.evidence()
            pair.close()

    def bare_minima(self) -> Iterator[tuple[tuple[str, str], float]]:
        """The fastest that the bare SDK was, by library and measure."""
        for library, measures in self.result.series.items():
            for measure, series in measures.items():
                if measure != "memory":
                    yield (library, measure), Added.of(series).bare

    def mourn(self, pair: Pair | None, what: str, error: ContenderError) -> None:
        """Note a failure; the next measure gets fresh processes."""
        self.result.failed[what] = str(error)
        self.say(f"{what} failed: {error}")
        if pair:
            pair.close()

    def steps(self) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """Library, measure, repeats and the request's details."""
        effort = self.effort
        for library in self.contender.libraries:
            yield library, "loop", effort.loop, {"pieces": CHUNKS}
            yield library, "async", effort.loop, {"pieces": CHUNKS}
            yield library, "parse", effort.parse, {"pieces": PARSED}
            yield library, "calls", effort.calls, {"pieces": SHORT, "count": CALLS}
            yield library, "memory", 1, {"pieces": MARKS[-1] + 2, "marks": MARKS}


def spoken(measure: str, taken: Series) -> str:
    """One measure in a few words, for the progress."""
    if measure == "memory":
        kept = Kept.of(taken)
        return f"{kept.first:+.1f} B a chunk, then {kept.later:+.1f} B"
    added = Added.of(taken)
    return f"{added.minimum:+.2f} µs (median {added.median:+.2f}; bare {added.bare:.2f})"
