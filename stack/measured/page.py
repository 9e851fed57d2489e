"""docs/fleet.md and its plot: the words of fleet.template.md with the figures of one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.plot import Bar, Panel, draw
from stack.measured.figures import Capacity, Step

__all__ = ["page", "write"]

_HERE = Path(__file__).parent
_DOCS = _HERE.parents[1] / "docs"
_PEAK = 10
_DAY = 86_400
_SPANS = 3
_STREAMS = (100_000, 1_000_000, 10_000_000, 100_000_000)


def write(found: Capacity) -> None:
    """Write the page and the plot."""
    prose = (_HERE / "fleet.template.md").read_text()
    (_DOCS / "fleet.md").write_text(page(found, prose))
    (_DOCS / "images" / "agent-load.svg").write_text(_plot(found))


def page(found: Capacity, prose: str) -> str:
    """The whole page; `prose` has the places of the figures marked."""
    agent, gateway = _cost(found.spans), _cost(found.gateway)
    idle, limited = found.idle, found.limited
    sections = {
        "machine": found.machine,
        "bytes": f"{found.size:,.0f}",
        "spans": _steps("spans", found.spans),
        "points": _steps("metric points", found.points),
        "gateway": _steps("spans", found.gateway),
        "agent_us": f"{agent * 1e6:.0f}",
        "gateway_us": f"{gateway * 1e6:.0f}",
        "point_us": f"{_cost(found.points) * 1e6:.0f}",
        "most": f"{max(step.acknowledged for step in found.spans):,.0f}",
        "memory": f"{max(step.memory for step in found.spans):.0f}",
        "idle": f"{idle.memory:.0f}" if idle else "",
        "limited": _beyond(limited) if limited else "",
        "sent_none": f"{found.sender['none'] * 1e6:.0f}",
        "sent_gzip": f"{found.sender['gzip'] * 1e6:.0f}",
        "arithmetic": _arithmetic(agent, gateway, found.size),
    }
    for name, text in sections.items():
        prose = prose.replace("{{" + name + "}}", text)
    return prose


def _steps(what: str, steps: Sequence[Step]) -> str:
    head = [
        f"offered, {what}/s",
        "acknowledged/s",
        "CPU, cores",
        "µs each",
        "memory, MiB",
        "refused",
    ]
    rows = [
        [
            f"{step.offered:,.0f}" if step.offered else "as many as go",
            f"{step.acknowledged:,.0f}",
            f"{step.cpu:.2f}",
            f"{step.cpu / step.acknowledged * 1e6:.0f}",
            f"{step.memory:.0f}",
            f"{step.refused:,}",
        ]
        for step in steps
    ]
    return _table(head, rows)


def _beyond(step: Step) -> str:
    return (
        f"{step.refused:,} requests were refused in twelve seconds and sent again, "
        f"{step.acknowledged:,.0f} spans a second were taken, with {step.memory:.0f} MiB resident"
    )


def _cost(steps: Sequence[Step]) -> float:
    """CPU seconds for one item at the largest load."""
    step = max(steps, key=lambda each: each.acknowledged)
    return step.cpu / step.acknowledged


def _arithmetic(agent: float, gateway: float, size: float) -> str:
    head = ["streams a day", "spans/s at peak", "agents, cores in all", "gateways, cores in all",
            "to the gateways, MB/s", "kept a day, GB"]  # fmt: skip
    rows = []
    for streams in _STREAMS:
        spans = streams * _SPANS * _PEAK / _DAY
        kept = streams * _SPANS * size * 0.12 / 1e9
        rows.append(
            [
                f"{streams:,}",
                f"{spans:,.0f}",
                f"{spans * agent:.2f}",
                f"{spans * gateway:.2f}",
                f"{spans * size / 1e6:.1f}",
                f"{kept:,.1f}",
            ]
        )
    return _table(head, rows)


def _plot(found: Capacity) -> str:
    measured = [("agent", found.spans, "spans"), ("gateway", found.gateway, "spans")]
    panels = [
        Panel(
            f"CPU of one {tier}, by {what} a second",
            "cores",
            [Bar(f"{step.acknowledged:,.0f}/s", step.cpu, ours=True) for step in steps],
        )
        for tier, steps, what in measured
    ]
    memory = [Bar(f"{step.acknowledged:,.0f}/s", step.memory, ours=True) for step in found.spans]
    return draw([*panels, Panel("Memory of one agent", "MiB", memory, digits=0)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
