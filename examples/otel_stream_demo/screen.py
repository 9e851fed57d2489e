"""The progress of all streams on a terminal, live; in a pipe, a line for each piece of news."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from otel_stream_demo.look import KINDS, OUTCOMES, Look, counted
from otel_stream_demo.progress import Progress, Row
from otel_stream_demo.scene import Scene

__all__ = ["Lines", "Screen"]

_A_TURN = 0.1
"""Seconds that a frame of the spinner stands."""


class Lines(Progress):
    """Plain lines, as things happen."""

    def __init__(self, scenes: Sequence[Scene], console: Console) -> None:
        super().__init__(scenes)
        self._began = time.monotonic()
        self._console = console
        self._width = max(len(scene.title) for scene in scenes)

    def shown(self) -> AbstractContextManager[Any]:
        """Nothing to set up."""
        return nullcontext()

    def tell(self, row: Row, news: str) -> None:
        """Print it."""
        at = time.monotonic() - self._began
        line = f"{at:6.2f} s  {row.scene.title:{self._width}}  {news}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Screen(Progress):
    """A line for each stream, drawn anew ten times a second."""

    def __init__(self, scenes: Sequence[Scene], console: Console, look: Look) -> None:
        super().__init__(scenes)
        self._console = console
        self._look = look

    def shown(self) -> AbstractContextManager[Any]:
        """The live display, which puts the terminal back when it is left."""
        return Live(self, console=self._console, refresh_per_second=1 / _A_TURN)

    def __rich__(self) -> Text:
        width = self._console.width
        return Text("\n", no_wrap=True).join(self._line(row, width) for row in self.rows)

    def _line(self, row: Row, width: int) -> Text:
        line = Text(no_wrap=True, overflow="crop")
        line.append(*self._mark(row))
        line.append(f" {row.scene.title:16}", "bold" if row.began else "dim")
        if width >= 96:
            line.append(f"{row.scene.model:19}", "dim")
        line.append(f"{row.elapsed:5.1f} s " if row.began else " " * 8)
        line.append(f"{_count(row):>10} ", "dim")
        self._tail(row, line, width - line.cell_len - 1)
        return line

    def _tail(self, row: Row, line: Text, room: int) -> None:
        """What the stream does now: stalls, says, or has said."""
        if row.outcome:
            said = f"{row.outcome} {row.error}".strip()
            line.append(said, OUTCOMES[row.outcome].style)
            room -= len(said) + 2
            line.append("  " if room > 0 else "")
        if row.stalled_since is not None:
            waited = time.monotonic() - row.stalled_since
            line.append(f"stalled for {waited:.1f} s", "bold red")
        elif row.began and row.first_token is None and not row.outcome:
            line.append("no token yet", "dim")
        elif room > 0:
            text, more = self._look.shown(" ".join(row.text.split())), self._look.more
            style = "dim" if row.outcome or not row.kind else KINDS[row.kind].style
            line.append(
                text if len(text) <= room else more + text[len(text) - room + len(more) :], style
            )

    def _mark(self, row: Row) -> tuple[str, str]:
        if row.outcome:
            outcome = OUTCOMES[row.outcome]
            return self._look.sign(outcome), outcome.style
        if row.stalled_since is not None:
            return "!", "bold red"
        spinner = self._look.spinner
        return (
            (spinner[int(time.monotonic() / _A_TURN) % len(spinner)], "cyan")
            if row.began
            else (" ", "")
        )


def _count(row: Row) -> str:
    """Pieces of content while the stream runs; at its end its chunks, as in the tables."""
    if row.chunks is not None:
        return counted(row.chunks, "chunk")
    return counted(row.deltas, "delta") if row.deltas else ""
