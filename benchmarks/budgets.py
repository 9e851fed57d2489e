"""Our budgets and whether the run kept them; computed, never written by hand."""

from __future__ import annotations

from dataclasses import dataclass

import runs
from outcome import Run

CPU_A_CHUNK = 0.6
CONTENT_A_CHUNK = 0.2
MEMORY_A_CHUNK = 16.0
MEMORY_BEYOND = 2.0
CPU_A_STREAM = 150.0
CPU_AN_EVENT = 5.0
IMPORT = 30.0
ACCURACY = 5.0


@dataclass(frozen=True)
class Verdict:
    """One budget beside our figure."""

    what: str
    budget: float
    figure: float | None
    unit: str
    noise: float = 0.0
    """What the same measure gives when the bare SDK is compared with itself."""
    remark: str = ""

    @property
    def kept(self) -> str:
        """`yes`, `no`, `within noise`, or `not measured`."""
        if self.figure is None:
            return "not measured"
        if self.figure <= self.budget:
            return "yes"
        return "within noise" if self.figure <= self.budget + self.noise else "**no**"


def verdicts(run: Run) -> list[Verdict]:
    """All budgets that this run can judge."""
    found = []
    for library, name in (("openai", "OpenAI chat"), ("anthropic", "Anthropic")):
        found += chunk_verdicts(run, library, name)
    for library, name in (("openai", "OpenAI chat"), ("anthropic", "Anthropic")):
        found += memory_verdicts(run, library, name)
        calls = run.added("ours", library, "calls")
        noise = run.noise(library, "calls")
        found.append(Verdict(f"fixed CPU a stream, {name}", CPU_A_STREAM, calls, "µs", noise))
    found.append(
        Verdict("`import otel_stream`, beyond the API", IMPORT, run.imports.get("ours"), "ms")
    )
    found += [
        Verdict(f"CPU an event, {what}", CPU_AN_EVENT, figure, "µs")
        for what, figure in runs.events(run.agents)
    ]
    times = run.accuracy[0]["error"] if run.accuracy else ()
    found += [
        Verdict(f"median error in the worst scenario, {time}", ACCURACY, run.worst_error(time), "%")
        for time in times
    ]
    return found


def chunk_verdicts(run: Run, library: str, name: str) -> list[Verdict]:
    """CPU a chunk: replayed, with content, parsed."""
    plain = run.added("ours", library, "loop")
    content = run.added("ours-content", library, "loop")
    extra = None if plain is None or content is None else content - plain
    clocks = run.added("clocks", library, "parse")
    parsed = run.added("ours", library, "parse")
    noise, parse_noise = run.noise(library, "loop"), run.noise(library, "parse")
    found = [
        Verdict(f"CPU a chunk, {name}", CPU_A_CHUNK, plain, "µs", noise),
        Verdict(
            f"the same, what content capture adds, {name}", CONTENT_A_CHUNK, extra, "µs", noise
        ),
    ]
    if clocks is not None:
        what = f"CPU a chunk with real parsing, {name}"
        remark = "the budget is what a generator with two clock reads added in this run"
        found.append(Verdict(what, max(0.0, clocks), parsed, "µs", parse_noise, remark))
    return found


def memory_verdicts(run: Run, library: str, name: str) -> list[Verdict]:
    """Bytes a chunk, and that a long stream keeps no more than a short one."""
    kept = run.kept("ours", library)
    control = run.kept("control", library)
    first, later = (kept.first, kept.later) if kept else (None, None)
    noise = (abs(control.first), abs(control.later)) if control else (0.0, 0.0)
    constant = "constant but for a sketch's buckets; one number a chunk would be 8 B"
    up_to, beyond = f"memory a chunk up to 1,000, {name}", f"memory a chunk beyond, {name}"
    return [
        Verdict(up_to, MEMORY_A_CHUNK, first, "B", noise[0]),
        Verdict(beyond, MEMORY_BEYOND, later, "B", noise[1], constant),
    ]
