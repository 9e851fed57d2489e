"""What stands around a picture: its axis of time, and what its signs mean."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from otel_stream_demo.look import Look, Mark

__all__ = ["Cell", "axis", "entries"]

_STEPS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
"""Seconds between two marks of the axis."""

Cell = tuple[str, Mark]
"""A sign, and what it stands for."""


def axis(lasted: float, slice_: float, columns: int, label: int, look: Look) -> Text:
    """Marks at round seconds, at least nine columns apart."""
    step = next((step for step in _STEPS if step / slice_ >= 9), _STEPS[-1])
    line = [" "] * (columns + 8)
    for number in range(int(lasted / step) + 1):
        column = int(number * step / slice_)
        mark = f"{'╷' if look.unicode else '|'}{number * step:g} s"
        line[column : column + len(mark)] = mark
    return Text(" " * label + "".join(line).rstrip(), "bright_black", no_wrap=True)


def entries(heading: str, cells: Iterable[Cell], width: int, label: int) -> list[Text]:
    """Signs and their meanings, in as many lines as it takes."""
    lines = [Text(f"{heading:{label}}", no_wrap=True)]
    for sign, mark in cells:
        entry = Text.assemble((sign, mark.style), f" {mark.meaning}   ")
        if lines[-1].cell_len + entry.cell_len - 3 > width:
            lines.append(Text(" " * label, no_wrap=True))
        lines[-1].append_text(entry)
    for line in lines:
        line.rstrip()
    return lines
