"""A stack in the foreground: its addresses, one log, and an end when it is asked for."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from stack.entry import READERS
from stack.journal import Journal
from stack.servers.process import Process
from stack.servers.running import Stack
from stack.stopping import Stop
from stack.table import addresses

__all__ = ["follow", "shown"]

_A_LOOK = 0.2
"""Seconds between two looks at the logs."""
_LAST_LINES = 5


@contextlib.contextmanager
def shown(
    stack: Stack, console: Console, room: Path, *, kept: bool, verbose: bool
) -> Iterator[Journal]:
    """The stack, while it runs: says that it starts, its addresses, and that it has stopped."""
    journal = Journal(stack.processes, console, verbose=verbose)
    began = time.monotonic()
    console.print(f"Starting {_names(stack.processes)}", style="dim")
    with contextlib.ExitStack() as last_words:
        last_words.callback(_tell_stopped, journal, console)
        last_words.enter_context(stack)
        journal.tell()
        _tell_addresses(stack, console, room, began, kept=kept)
        try:
            yield journal
        except Stop:
            with contextlib.suppress(OSError):  # the terminal may be what is gone
                console.print(f"\nStopping {_names(stack.processes[::-1])}", style="dim")
            raise


def follow(stack: Stack, journal: Journal) -> None:
    """Print the logs until none of the servers runs any more. Ctrl-C raises `Stop`.

    When one of them ends the others go on: the agent keeps for a back end what it misses.
    """
    running = list(stack.processes)
    while running:
        journal.tell()
        for process in [each for each in running if each.status is not None]:
            running.remove(process)
            _tell_end(process, journal)
        time.sleep(_A_LOOK)
    journal.say("stack", "none of the servers runs any more", "error")


def _tell_addresses(
    stack: Stack, console: Console, room: Path, began: float, *, kept: bool
) -> None:
    console.print(f"Ready after {time.monotonic() - began:.1f} s. Ctrl-C stops it.\n")
    for label, text in addresses(stack, room, kept=kept):
        console.print(Text.assemble((f"{label:12}", "bold"), text), soft_wrap=True)
    console.print()


def _tell_stopped(journal: Journal, console: Console) -> None:
    with contextlib.suppress(OSError):
        journal.tell()
        console.print("Stopped", style="dim")


def _tell_end(process: Process, journal: Journal) -> None:
    status = process.status or 0
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    others = "the others go on; its last lines:"
    journal.say(process.name, f"has ended by itself ({how}); {others}", "error")
    for line in process.last_lines().splitlines()[-_LAST_LINES:]:
        entry = READERS[process.name](line)
        journal.say(process.name, f"  {entry.message}", entry.level)


def _names(processes: list[Process]) -> str:
    return ", ".join(each.name for each in processes)
