"""The page: tables in Markdown and the plot, all computed from one run."""

from __future__ import annotations

from typing import Any

import runs
from budgets import CPU_A_CHUNK, CPU_A_STREAM, verdicts
from contenders import Contender
from outcome import Run
from plot import Bar, Panel, draw
from tables import NONE, number, table

COLUMNS = (("openai", "OpenAI"), ("anthropic", "Anthropic"))


def page(run: Run, prose: str) -> str:
    """The whole page; `prose` is how it was measured, with the sections' places marked."""
    sections = {
        "machine": run.machine,
        "effort": effort(run),
        "noise": noise(run),
        "chunks": chunks(run),
        "streams": streams(run),
        "budgets": budgets(run),
        "accuracy": accuracy(run),
        "agents": runs.tables(run.agents),
        "contenders": contenders(run),
        "failures": failures(run),
    }
    for name, text in sections.items():
        prose = prose.replace("{{" + name + "}}", text)
    return prose


def chunks(run: Run) -> str:
    """CPU added a chunk: minimum, and the median in brackets."""
    measures = [("loop", "`for`"), ("async", "`async for`"), ("parse", "`for`, parsing")]
    head = ["µs added a chunk"]
    head += [f"{name}, {loop}" for _, name in COLUMNS for _, loop in measures]
    bare = ["*bare SDK, in all*"]
    bare += [
        number(min(run.bare(library, measure), default=None))
        for library, _ in COLUMNS
        for measure, _ in measures
    ]
    rows = [bare]
    for one in run.contenders:
        row = [emphasis(one)]
        row += [added(run, one, library, m) for library, _ in COLUMNS for m, _ in measures]
        rows.append(row)
    return table(head, rows)


def added(run: Run, contender: Contender, library: str, measure: str, digits: int = 2) -> str:
    """One cell."""
    compared = run.compared(contender.name, library, measure)
    if compared is None:
        return absent(run, contender, library, measure)
    return f"{number(compared.minimum, digits)} ({number(compared.median, digits)})"


def absent(run: Run, contender: Contender, library: str, measure: str) -> str:
    """Why there is no figure."""
    if library not in contender.libraries:
        return NONE
    failed = run.results[contender.name].failed
    return "failed" if "install" in failed or f"{library} {measure}" in failed else NONE


def streams(run: Run) -> str:
    """Fixed CPU a stream, memory a chunk, import."""
    head = ["", *(f"CPU a stream, {name} (µs)" for _, name in COLUMNS)]
    for _, name in COLUMNS:
        head += [f"{name}: B a chunk to 1,000", "from there to 10,000"]
    head.append("import (ms)")
    rows = []
    for one in run.contenders:
        row = [emphasis(one), *(added(run, one, lib, "calls", 0) for lib, _ in COLUMNS)]
        for library, _ in COLUMNS:
            kept = run.kept(one.name, library)
            first, later = (kept.first, kept.later) if kept else (None, None)
            missing = absent(run, one, library, "memory")
            row += [number(first, 1) if kept else missing, number(later, 1) if kept else missing]
        rows.append([*row, number(run.imports.get(one.name), 1)])
    return table(head, rows)


def budgets(run: Run) -> str:
    """Each budget beside our figure."""
    rows = []
    for one in verdicts(run):
        what = f"{one.what} ({one.remark})" if one.remark else one.what
        figure = f"{number(one.figure)} {one.unit}" if one.figure is not None else NONE
        rows.append([what, f"≤ {number(one.budget)} {one.unit}", figure, one.kept])
    return table(["what", "budget", "otel-stream", "kept"], rows)


def accuracy(run: Run) -> str:
    """Median and worst error of each of our times, by scenario."""
    if not run.accuracy:
        return "Not measured in this run."
    times = list(run.accuracy[0]["error"])
    head = ["scenario", "library", "loop", *(f"{name}: true (ms), error" for name in times)]
    rows = []
    for one in run.accuracy:
        cells = [error_cell(one, name) for name in times]
        rows.append([one["scenario"], one["library"], f"`{one['loop']}`", *cells])
    return table(head, rows, left=3)


def error_cell(one: dict[str, Any], name: str) -> str:
    """The true time, our median error and the worst of single streams."""
    true, error, worst = one["truth"][name] * 1000, one["error"][name], one["worst"][name]
    return f"{number(true, 1)}, {error * 100:+.1f} % ({worst * 100:+.1f} %)"


def contenders(run: Run) -> str:
    """Who took part: versions, settings, and what each recorded."""
    rows = []
    for one in run.contenders:
        result = run.results[one.name]
        versions = ", ".join(
            f"{name} {result.versions[name]}"
            for name in one.distributions
            if name in result.versions
        )
        rows.append([emphasis(one), versions or NONE, one.note or NONE, recorded(run, one)])
    return table(["contender", "version", "settings", "recorded"], rows, left=4)


def recorded(run: Run, contender: Contender) -> str:
    """What arrived at the exporters: proof that the contender was at work."""
    evidence = run.results[contender.name].evidence
    if not evidence or not any(evidence.values()):
        return "nothing"
    metrics = evidence["metrics"]
    parts = ["spans"] if evidence["spans"] else []
    parts += ["log records"] if evidence["logs"] else []
    parts += [f"{len(metrics)} metrics"] if metrics else []
    return ", ".join(parts)


def failures(run: Run) -> str:
    """What could not be measured, and the kind of error; its words may hold paths and hosts."""
    lines = []
    for one in run.contenders:
        kinds: dict[str, list[str]] = {}
        for what, why in run.results[one.name].failed.items():
            kinds.setdefault(why.partition(":")[0], []).append(what)
        lines += [f"- {one.title}: {kind} ({', '.join(what)})" for kind, what in kinds.items()]
    if not lines:
        return "Every contender could be installed and measured."
    return "\n".join(["Not measured:", "", *lines])


def effort(run: Run) -> str:
    """How often."""
    counts = run.effort
    return (
        f"{counts['passes']} passes over all contenders, in fresh processes each, of "
        f"{counts['loop']} repeats (parsing {counts['parse']}, short streams {counts['calls']})"
    )


def noise(run: Run) -> str:
    """How far apart the bare SDK's own minima were over the pairs."""
    parts = []
    for library, name in COLUMNS:
        for measure, what in (("loop", "replayed"), ("parse", "parsed")):
            bare = run.bare(library, measure)
            if bare:
                parts.append(f"{name} {what} {number(min(bare))} to {number(max(bare))} µs")
    return "; ".join(parts)


def emphasis(contender: Contender) -> str:
    """Our rows in bold."""
    return f"**{contender.title}**" if contender.requirements == "ours" else contender.title


def plot(run: Run) -> str:
    """The page's picture."""
    panels = []
    for library, name in COLUMNS:
        title = f"CPU added a chunk, {name}, for loop over replayed chunks"
        panels.append(panel(run, title, library, "loop", CPU_A_CHUNK, 2))
    for library, name in COLUMNS:
        title = f"CPU added a stream, {name}"
        panels.append(panel(run, title, library, "calls", CPU_A_STREAM, 0))
    return draw(panels)


def panel(run: Run, title: str, library: str, measure: str, budget: float, digits: int) -> Panel:
    """One measure of all that trace the library."""
    bars = []
    for one in run.contenders:
        if library in one.libraries and one.name != "control":
            found = run.added(one.name, library, measure)
            shown = None if found is None else max(0.0, found)
            bars.append(Bar(one.title, shown, one.requirements == "ours"))
    return Panel(title, "µs", bars, budget, digits)
