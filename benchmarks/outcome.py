"""The outcome of a whole run, asked by report and budgets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from contenders import BY_NAME, Contender
from figures import Added, Kept
from plan import Result


@dataclass
class Run:
    """Everything that was taken."""

    results: dict[str, Result]
    """By contender, in the order of the tables."""
    imports: dict[str, float] = field(default_factory=dict)
    """Milliseconds by contender."""
    accuracy: list[dict[str, Any]] = field(default_factory=list)
    agents: dict[str, Any] = field(default_factory=dict)
    """Microseconds an event of an agent's run, and how the parser grows: see `runs.py`."""
    machine: str = ""
    effort: dict[str, int] = field(default_factory=dict)

    @property
    def contenders(self) -> list[Contender]:
        """Those that took part."""
        return [BY_NAME[name] for name in self.results]

    def compared(self, name: str, library: str, measure: str) -> Added | None:
        """A contender's figures of one measure, if they were taken."""
        result = self.results.get(name)
        series = result.series.get(library, {}).get(measure) if result else None
        return Added.of(series) if series else None

    def added(self, name: str, library: str, measure: str) -> float | None:
        """What a contender adds to the minimum."""
        compared = self.compared(name, library, measure)
        return compared.minimum if compared else None

    def noise(self, library: str, measure: str) -> float:
        """What nothing at all adds, as a size."""
        control = self.compared("control", library, measure)
        return max(abs(control.minimum), abs(control.median)) if control else 0.0

    def bare(self, library: str, measure: str) -> list[float]:
        """The bare SDK's minimum in each pair."""
        found = (self.compared(name, library, measure) for name in self.results)
        return [one.bare for one in found if one]

    def kept(self, name: str, library: str) -> Kept | None:
        """A contender's memory a chunk."""
        result = self.results.get(name)
        series = result.series.get(library, {}).get("memory") if result else None
        return Kept.of(series) if series else None

    def worst_error(self, time: str) -> float | None:
        """The largest median error of one of our times in any scenario, in percent."""
        errors = [abs(one["error"][time]) * 100 for one in self.accuracy]
        return max(errors) if errors else None

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Run:
        """From `as_dict`."""
        results = {name: Result(**result) for name, result in told["contenders"].items()}
        return cls(
            results,
            told["import_ms"],
            told["accuracy"],
            told.get("agents", {}),
            told["machine"],
            told["effort"],
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "machine": self.machine,
            "effort": self.effort,
            "contenders": {name: asdict(result) for name, result in self.results.items()},
            "import_ms": self.imports,
            "accuracy": self.accuracy,
            "agents": self.agents,
        }
