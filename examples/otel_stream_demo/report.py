"""What is printed at the end: the pictures, where the data lies, what to type next."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from otel_stream_demo.figures import Figures
from otel_stream_demo.lived import lived
from otel_stream_demo.look import Look
from otel_stream_demo.tables import tables
from otel_stream_demo.timeline import timeline
from otel_stream_demo.tree import Tree
from otel_stream_demo.waterfall import waterfall

__all__ = ["Said", "doctor", "loading", "message", "pictures", "places", "say", "steps"]

ASK = "make demo ARGS='--live openai --model gpt-4o-mini'"


def loading(console: Console, look: Look) -> AbstractContextManager[Any]:
    """Shows that something happens while large libraries are imported, on a terminal."""
    if not console.is_terminal:
        return nullcontext()
    return console.status("loading the libraries", spinner=look.status)


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


def message(spans: Sequence[Figures], console: Console, look: Look) -> None:
    """The waterfall of one message over WhatsApp, and what its person lived through."""
    tree = Tree(spans)
    console.print("\none message over WhatsApp, and its answer\n", style="bold")
    for line in [*waterfall(tree, console.width, look), Text(), *lived(tree)]:
        console.print(line, soft_wrap=True)


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
