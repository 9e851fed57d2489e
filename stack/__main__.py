"""`python -m stack`: what `make stack`, `make demo-stack` and `make collector` call."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from rich.console import Console

from stack.addresses import STANDARD, PortError, choose, moved, parsed
from stack.foreground import follow, shown
from stack.journal import Journal
from stack.made.command import CommandError
from stack.made.programs import Programs
from stack.room import RoomError, room
from stack.servers.process import NotReady
from stack.servers.running import BACK_ENDS, Stack
from stack.stopping import Stop, stopping

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status: 0 fine, 1 something went wrong, 2 wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        with stopping():
            status: int = given.run(given)
            sys.stdout.flush()
    except (CommandError, NotReady, PortError, RoomError) as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except Stop as stop:
        return stop.status
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("python -m stack", description="The real collector and its back ends, here.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _command(commands, "get", "find or make all programs, once a machine", _get)
    run = _command(commands, "run", "run an agent with all back ends until Ctrl-C", _run)
    run.add_argument(
        "--port",
        action="append",
        type=_checked(parsed),
        default=[],
        metavar="NAME=N",
        help=f"a port, where the standard one will not do; names: {', '.join(STANDARD)}",
    )
    run.add_argument("--data", metavar="DIR", help="keep all data there; else it is temporary")
    run.add_argument(
        "--only",
        type=_checked(_back_ends),
        default=BACK_ENDS,
        metavar="NAMES",
        help=f"some of the back ends: {','.join(BACK_ENDS)}",
    )
    run.add_argument(
        "--every",
        type=_checked(_seconds),
        default=5.0,
        metavar="SECONDS",
        help="between two scrapes; else 5",
    )
    run.add_argument("--verbose", action="store_true", help="all lines of the logs")
    demo = _command(commands, "demo", "send the demo through a stack, show what arrived", _demo)
    demo.add_argument("--keep", action="store_true", help="let the stack run on, until Ctrl-C")
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    what: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
    command.set_defaults(run=run)
    return command


def _get(given: argparse.Namespace) -> int:
    programs = Programs()
    for find in (
        programs.collector, programs.jaeger, programs.prometheus, programs.promtool,
        programs.influxd, programs.compose, programs.postgres,
    ):  # fmt: skip
        print(f"{find.__name__:<10}", find(), flush=True)
    return 0


def _run(given: argparse.Namespace) -> int:
    console = Console(highlight=False)
    numbers = choose(dict(given.port))
    for line in moved(numbers, dict(given.port)):
        console.print(line, style="yellow")
    with room(given.data) as folder:
        stack = Stack(folder, every=given.every, numbers=numbers, only=given.only)
        up = shown(stack, console, folder, kept=bool(given.data), verbose=given.verbose)
        try:
            with up as journal:
                follow(stack, journal)
        except Stop:
            return 0
    return 1


def _demo(given: argparse.Namespace) -> int:
    from stack.tour.page import findings, show, wait
    from stack.tour.sent import send

    console = Console(highlight=False)
    with room(None) as folder:
        stack = Stack(folder, every=2.0, numbers=choose({}) if given.keep else None)
        console.print("Starting a stack", style="dim")
        with stack:
            sent = send(stack.agent.http, folder / "demo")
            console.print("\nWhat the back ends have of it\n", style="bold")
            found = findings(stack, sent)
            arrived = wait(found, console)
            for each in found:
                show(each, console)
            console.print()
            if given.keep:
                _keep(stack, console)
            else:
                console.print("make demo-stack ARGS=--keep lets it run on, to be asked by hand")
    return 0 if arrived else 1


def _keep(stack: Stack, console: Console) -> None:
    console.print("The stack runs on. Ctrl-C stops it.")
    with contextlib.suppress(Stop):
        follow(stack, Journal(stack.processes, console))


def _back_ends(text: str) -> list[str]:
    """Some of the back ends.

    Raises:
        ValueError: There is another name, or none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or set(names) - set(BACK_ENDS):
        raise ValueError(f"{text!r}: some of {','.join(BACK_ENDS)} are meant")
    return names


def _seconds(text: str) -> float:
    """A time between a second and an hour.

    Raises:
        ValueError: It is something else.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise ValueError(f"{text!r}: a number of seconds from 1 to 3600 is meant")
    return seconds


def _checked(read: Callable[[str], object]) -> Callable[[str], object]:
    """The same for argparse, with the message that it has."""

    def checked(text: str) -> object:
        try:
            return read(text)
        except (PortError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


if __name__ == "__main__":
    sys.exit(main())
