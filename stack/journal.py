"""The logs of all servers as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from stack.entry import READERS, Entry
from stack.growing import Growing
from stack.servers.process import Process

__all__ = ["Journal"]

_COLOURS = {"agent": "cyan", "jaeger": "magenta", "prometheus": "yellow", "influxdb": "blue"}
_STYLES = {"warn": "yellow", "error": "bold red"}
_IMPORTANT = (
    "Everything is ready",  # the collector, and Jaeger, which is one
    "Server is ready to receive web requests",
    "Listening on HTTP",
    "Exporting failed",  # and is tried again: the collector tells it as news, not as a warning
)
_EXPECTED = (
    "ui assets not embedded in the binary",  # Jaeger's module has no page
    "Received SIGTERM",  # it was asked to
    "interrupted due to shutdown",  # says that data is dropped, but it stays in the queue
)
_AGAIN = timedelta(seconds=30)
"""The same news is told again only after so long."""
_NEWS = 1000


class _Line(NamedTuple):
    time: datetime
    name: str
    entry: Entry


class Journal:
    """Prints what the servers write, in the order of time, each line with its server's name.

    Warnings and errors, and that a server is ready; with `verbose` everything.

    Args:
        processes: Whose logs.
        console: Where to print.
        verbose: Whether to leave nothing out.
    """

    def __init__(
        self, processes: Iterable[Process], console: Console, *, verbose: bool = False
    ) -> None:
        self._logs: Mapping[str, Growing] = {each.name: Growing(each.log) for each in processes}
        self._console = console
        self._verbose = verbose
        self._width = max(map(len, self._logs))
        self._told: dict[tuple[str, str], datetime] = {}

    def tell(self) -> None:
        """Print what was written since the last time."""
        found = [line for name, log in self._logs.items() for line in _lines(name, log)]
        for time, name, entry in sorted(found, key=lambda line: line.time):
            if self._verbose or (_matters(entry) and self._is_new(name, entry.message, time)):
                self.say(name, entry.message, entry.level, time)

    def say(self, name: str, text: str, level: str = "info", time: datetime | None = None) -> None:
        """Print a line about a server."""
        at = (time or datetime.now()).astimezone().strftime("%H:%M:%S")
        line = Text.assemble(
            (at, "dim"),
            (f" {name:{self._width}} ", _COLOURS.get(name, "")),
            (f"{level:5} ", _STYLES.get(level, "dim")),
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text),
        )
        self._console.print(line, soft_wrap=True)

    def _is_new(self, name: str, message: str, time: datetime) -> bool:
        before = self._told.get((name, message))
        if before is not None and time - before < _AGAIN:
            return False
        if len(self._told) >= _NEWS:
            self._told.clear()
        self._told[name, message] = time
        return True


def _lines(name: str, log: Growing) -> Iterator[_Line]:
    """A line without a time has that of the line before."""
    read, time = READERS[name], datetime.now().astimezone()
    for line in log.lines():
        if line.strip():
            entry = read(line)
            time = entry.time or time
            yield _Line(time, name, entry)


def _matters(entry: Entry) -> bool:
    if entry.level in ("debug", "info"):
        return any(text in entry.message for text in _IMPORTANT)
    return not any(text in entry.message for text in _EXPECTED)
