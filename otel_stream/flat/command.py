"""The command: files in, flat lines on the standard output, what went wrong on the other one."""

from __future__ import annotations

import os
import sys

from otel_stream.flat.files import Source, lines, sources
from otel_stream.flat.reader import Reader, json_line
from otel_stream.settings import Settings
from otel_stream.sources import variable

__all__ = ["run"]


def run(names: list[str], *, content: bool = False) -> int:
    """Print each stream of the files as a line, as soon as it is read.

    Args:
        names: Files and folders; `-` is the standard input. None at all means the folder that
            `instrument()` writes to here.
        content: Whether messages are told too.

    Returns:
        The exit status: 1 when something could not be read, doubles and halves at the end of a
        file aside; 130 after Ctrl-C.
    """
    telling = _Telling(Reader(content))
    try:
        for source in sources(names or [_default_folder()], telling.complain):
            telling.read(source)
    except KeyboardInterrupt:
        telling.sum_up()
        return 130
    telling.sum_up()
    return telling.status


class _Telling:
    """Tells the streams, and counts what is none.

    Args:
        reader: Of all the files.
    """

    def __init__(self, reader: Reader) -> None:
        self.status = 0
        self._reader = reader
        self._halves = self._broken = 0
        self._first = ""

    def read(self, source: Source) -> None:
        """Tell what a file holds."""
        for number, line in enumerate(lines(source, self.complain), 1):
            streams, is_whole = self._reader.feed(line) if line is not None else ([], False)
            sys.stdout.buffer.writelines(map(json_line, streams))
            if source.live:
                sys.stdout.buffer.flush()  # who waits for lines gets them as they come
            if not is_whole:
                self._count(f"{source.name}, line {number}", line)

    def _count(self, place: str, line: bytes | None) -> None:
        """Count a line that is not whole; the one at the end of a file may still be growing."""
        if line is not None and not line.endswith(b"\n"):
            self._halves += 1
            return
        self._broken += 1
        self._first = self._first or place
        self.status = 1

    def complain(self, text: str) -> None:
        """Say what could not be read at all."""
        self.status = 1
        _say(text)

    def sum_up(self) -> None:
        """Say in a line what was left out, if anything was."""
        parts = [
            _counted(self._reader.doubles, "double"),
            _counted(self._halves, "half line", " at the end of a file"),
            _counted(self._broken, "broken line", f" (the first: {self._first})"),
        ]
        if any(parts):
            _say(f"left out {', '.join(filter(None, parts))}")


def _counted(number: int, what: str, more: str = "") -> str:
    return f"{number} {what}{'s' * (number != 1)}{more}" if number else ""


def _say(text: str) -> None:
    """One line; a file's name may hold what must not reach a terminal."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    print(f"otel-stream streams: {shown}", file=sys.stderr)


def _default_folder() -> str:
    """Asked for alone: reading all of the settings imports what `redact` names."""
    return os.environ.get(variable("data_dir"), "").strip() or Settings().data_dir
