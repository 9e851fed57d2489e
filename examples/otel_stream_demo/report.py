"""What is printed at the end: the pictures, where the data lies, what to type next."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rich.console import Console

from otel_stream_demo.figures import Figures
from otel_stream_demo.look import Look
from otel_stream_demo.tables import tables
from otel_stream_demo.timeline import timeline

__all__ = ["Said", "pictures", "places"]


class Said(logging.Handler):
    """Keeps what otel-stream logs, so that it is not written across the live display."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        logger = logging.getLogger("otel_stream")
        logger.addHandler(self)
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())


def pictures(streams: Sequence[Figures], console: Console, look: Look) -> None:
    """A timeline of all streams, and the tables of their figures."""
    console.print()
    for line in timeline(streams, console.width, look):
        console.print(line, soft_wrap=True)
    for table in tables(streams, console.width):
        console.print()
        console.print(table)
    if any(stream.get("usage.source") == "partial" for stream in streams):
        console.print("? not the provider's final count", style="bright_black")


def places(where: dict[str, str], console: Console) -> None:
    """Where spans and metrics went, and how to go on."""
    console.print()
    for signal in ("traces", "metrics"):
        say(f"{signal:9}{where[signal]}", console)
    console.print()
    for command, purpose in NEXT.items():
        say(f"{command:{max(map(len, NEXT))}}  {purpose}", console)


def say(line: str, console: Console) -> None:
    """A line as it is, however long."""
    console.print(line, markup=False, soft_wrap=True)


NEXT = {
    "make demo ARGS='--live openai --model gpt-4o-mini'": "asks with your key",
    ".venv/bin/otel-stream doctor": "says what is traced here",
}
