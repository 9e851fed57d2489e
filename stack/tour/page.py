"""What the back ends have: waited for, and printed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from otel_stream.pipeline.answer import Unreachable
from stack.servers.running import Stack
from stack.tour.figures import Figures
from stack.tour.finding import Finding
from stack.tour.lines import Lines
from stack.tour.points import Points
from stack.tour.sent import Sent
from stack.tour.traces import Traces

__all__ = ["findings", "show", "wait"]

_A_LOOK = 0.3
_LONGEST = 40.0
"""Seconds until something that has not arrived is said to be missing."""


def findings(stack: Stack, sent: Sent) -> list[Finding]:
    """One for each back end."""
    return [
        Traces(stack.jaeger.url, sent),
        Figures(stack.prometheus.url, sent),
        Points(stack.influxdb.url, sent),
        Lines(stack.agent.data, sent),
    ]


def wait(waited_for: Sequence[Finding], console: Console, timeout: float = _LONGEST) -> bool:
    """Wait until all has arrived everywhere, and say where it has. Returns whether it did."""
    began = time.monotonic()
    left = {finding.name: finding for finding in waited_for}
    missing: dict[str, str] = {}
    with console.status("Waiting for the back ends") as status:
        while left and time.monotonic() - began < timeout:
            missing = {name: _missing(finding) for name, finding in left.items()}
            for name in [name for name in left if not missing[name]]:
                del left[name]
                console.print(f"{name:11} has all of it after {time.monotonic() - began:.1f} s")
            status.update("; ".join(f"{name} lacks {missing[name]}" for name in left))
            time.sleep(_A_LOOK if left else 0.0)
    for name in left:
        console.print(f"{name:11} lacks {missing[name]} after {timeout:g} s", style="bold red")
    return not left


def show(found: Finding, console: Console) -> None:
    """Print what one has."""
    console.print(f"\n{found.name}", style="bold cyan")
    try:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=12, no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for label, text in found.lines():
            table.add_row(label, text)
        console.print(table)
    except Unreachable as error:
        console.print(f"{error}", style="red", markup=False)
    for command in found.asks():
        console.print(f"$ {command}", style="dim", markup=False, soft_wrap=True)


def _missing(finding: Finding) -> str:
    try:
        return finding.missing()
    except Unreachable as error:
        return str(error)
