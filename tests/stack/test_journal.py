"""The log of all servers: in order, short, and without repetitions."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from stack.journal import Journal
from stack.servers.process import Process


class Room:
    """Two servers that are nothing but their logs."""

    def __init__(self, folder: Path, *, verbose: bool = False) -> None:
        self.servers = {
            name: Process(name, ["true"], room=folder, ready="http://127.0.0.1:1/")
            for name in ("agent", "prometheus")
        }
        self.out = io.StringIO()
        console = Console(file=self.out, width=80, highlight=False)
        self.journal = Journal(self.servers.values(), console, verbose=verbose)

    def write(self, name: str, *lines: str) -> None:
        """A server writes lines."""
        with self.servers[name].log.open("a") as log:
            log.writelines(lines)

    def told(self) -> list[str]:
        """What is printed of it, without the times."""
        self.journal.tell()
        lines = [line[9:] for line in self.out.getvalue().splitlines()]
        self.out.seek(0)
        self.out.truncate()
        return lines


def zap(second: int, level: str, message: str) -> str:
    """A line of the agent."""
    return f"2026-11-21T18:51:{second:02}.000Z\t{level}\tplace.go:1\t{message}\n"


def logfmt(second: int, level: str, message: str) -> str:
    """A line of Prometheus."""
    return f'ts=2026-11-21T18:51:{second:02}.000Z level={level} msg="{message}"\n'


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Servers that have written nothing yet."""
    return Room(tmp_path)


def test_lines_come_in_the_order_of_time(room: Room) -> None:
    """What several servers wrote since the last look is sorted by its time."""
    room.write("agent", zap(1, "warn", "first"), zap(3, "warn", "third"))
    room.write("prometheus", logfmt(2, "error", "second"))

    assert room.told() == [
        "agent      warn  first",
        "prometheus error second",
        "agent      warn  third",
    ]


def test_only_what_matters_is_told(room: Room) -> None:
    """Besides warnings and errors only that a server is ready, and that it cannot export."""
    room.write(
        "agent",
        zap(1, "info", "Extension started."),
        zap(2, "info", "Everything is ready. Begin running and processing data."),
        zap(3, "info", "Exporting failed. Will retry the request after interval."),
    )

    assert room.told() == [
        "agent      info  Everything is ready. Begin running and processing data.",
        "agent      info  Exporting failed. Will retry the request after interval.",
    ]


def test_verbose_leaves_nothing_out(tmp_path: Path) -> None:
    """With `verbose` each line is told, repeated ones too."""
    room = Room(tmp_path, verbose=True)
    room.write("agent", *[zap(1, "info", "Extension started.")] * 2)

    assert room.told() == ["agent      info  Extension started."] * 2


def test_the_same_news_is_told_once_in_a_while(room: Room) -> None:
    """A message that repeats is told again only after half a minute."""
    room.write("agent", zap(1, "error", "no"), zap(11, "error", "no"), zap(45, "error", "no"))

    assert room.told() == ["agent      error no"] * 2


def test_half_a_line_waits_for_its_end(room: Room) -> None:
    """A line is told once it is whole, and then once."""
    whole = zap(1, "warn", "message")
    room.write("agent", whole[:30])

    assert room.told() == []
    room.write("agent", whole[30:])
    assert room.told() == ["agent      warn  message"]
    assert room.told() == []


def test_what_was_written_before_is_not_told(tmp_path: Path) -> None:
    """The log of an earlier run in the same folder is left alone."""
    Room(tmp_path).write("agent", zap(1, "error", "long ago"))

    assert Room(tmp_path).told() == []


def test_nothing_speaks_to_the_terminal(room: Room) -> None:
    """Control characters in a log are shown, not obeyed."""
    room.write("agent", zap(1, "warn", "a\x1b[2Jb"))

    assert room.told() == ["agent      warn  a\\x1b[2Jb"]
