"""What is printed at the end: the pictures, where the data lies, what to type next."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from otel_stream_demo.figures import Figures
from otel_stream_demo.look import Look
from otel_stream_demo.tables import tables
from otel_stream_demo.timeline import timeline

__all__ = ["Said", "doctor", "pictures", "places", "say", "steps"]

ASK = "make demo ARGS='--live openai --model gpt-4o-mini'"


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
        self.lines.append(" ".join(record.getMessage().split()))


def pictures(streams: Sequence[Figures], console: Console, look: Look) -> None:
    """A timeline of all streams, and the tables of their figures."""
    console.print()
    for line in timeline(streams, console.width, look):
        console.print(line, soft_wrap=True)
    for table in tables(streams, console.width):
        console.print()
        console.print(table)
    for note in _notes(streams, console):
        console.print(note, style="bright_black")


def _notes(streams: Sequence[Figures], console: Console) -> Iterator[str]:
    """What the tables leave open."""
    yield "times in seconds, with the number of stalls before theirs; gaps in milliseconds"
    if console.is_terminal:
        yield "chunks are the provider's events with data; those with content were told as deltas"
    if any(stream.get("usage.source") == "partial" for stream in streams):
        yield "? not the provider's final count"


def places(where: dict[str, str], console: Console) -> None:
    """Where spans and metrics went."""
    console.print()
    for signal in ("traces", "metrics"):
        say(f"{signal:9}{where[signal]}", console)


def steps(console: Console) -> None:
    """How to go on."""
    commands = {ASK: "asks with your key", doctor(): "says what is traced here"}
    console.print()
    for command, purpose in commands.items():
        say(f"{command:{max(map(len, commands))}}  {purpose}", console)


def doctor() -> str:
    """The command that looks at the environment in which this runs."""
    interpreter = Path(sys.executable)
    if interpreter.is_relative_to(Path.cwd()):
        interpreter = interpreter.relative_to(Path.cwd())
    return f"{shlex.quote(str(interpreter))} -m otel_stream doctor"


def say(line: str, console: Console) -> None:
    """A line as it is, however long."""
    console.print(line, markup=False, soft_wrap=True)
