"""The files that are read: found, opened, taken apart into lines.

In a folder the files of traces are `traces.jsonl` and what it was rotated to, by us
(`traces.jsonl.1` is the newest) or by the Collector's `file` exporter
(`traces-2026-11-21T18-00-00.000-size.jsonl`), also compressed. They are read oldest first.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

__all__ = ["LONGEST", "STDIN", "Source", "lines", "sources"]

STDIN = "-"
LONGEST = 64 * 1024 * 1024
"""Bytes of a line that is still read: as much as a whole file of ours holds by default."""

_NAME = re.compile(
    r"traces(?:-(?P<stamp>\d{4}-\d\d-\d\dT[\w.-]+))?\.jsonl(?:\.(?P<number>\d{1,9}))?(?:\.(?:gz|zst))?",
    re.ASCII,
)
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BUFFER = 1024 * 1024
_TRIES = 5

Lines: TypeAlias = io.BufferedReader | gzip.GzipFile
Complain: TypeAlias = Callable[[str], None]
"""Is told, as "name: what is wrong", of what could not be read."""


class Source(NamedTuple):
    """A file that is open. `live`: somebody may be writing to the other end."""

    name: str
    file: io.BufferedReader
    live: bool = False


def sources(names: list[str], complain: Complain) -> Iterator[Source]:
    """The files of these names, a folder's oldest first; `-` is the standard input.

    `lines` closes them.
    """
    for name in names:
        try:
            if name == STDIN:
                file = io.FileIO(0, closefd=False)
                yield Source("standard input", io.BufferedReader(file, _BUFFER), live=True)
            elif os.path.isdir(name):
                yield from _folder(name, complain)
            else:
                yield _open(name)
        except OSError as error:
            complain(f"{name}: {error.strerror or error}")


def lines(source: Source, complain: Complain, longest: int = LONGEST) -> Iterator[bytes | None]:
    """The lines of a file with their ends; None for one that is too long. Closes the file."""
    try:
        with source.file as file:
            yield from _pieces(_unpacked(file), longest)
    except (OSError, EOFError, zlib.error, _UnknownError) as error:
        complain(f"{source.name}: {getattr(error, 'strerror', None) or error}")


class _UnknownError(Exception):
    """A compression that nothing here can read."""


def _folder(folder: str, complain: Complain) -> Iterator[Source]:
    """A folder's files of traces.

    All are opened at once, since a rotation gives them other names; a rotation in the meantime
    shows in the listing, and they are opened anew.
    """
    for _ in range(_TRIES):
        before = _listed(folder)
        opened = [each for path in before if (each := _try_open(path, complain)) is not None]
        if before == _listed(folder):
            break
        for each in opened:
            each.file.close()
    if not before:
        complain(f"{folder}: there are no files of traces in this folder")
    yield from opened


def _listed(folder: str) -> dict[str, int]:
    """The files' paths, oldest first, and what tells them from others that get their names."""
    found: list[tuple[tuple[bool, str, int, str], int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if (match := _NAME.fullmatch(entry.name)) and entry.is_file():
                stamp, number = match["stamp"], int(match["number"] or 0)
                found.append(((stamp is None, stamp or "", -number, entry.path), entry.inode()))
    return {key[-1]: inode for key, inode in sorted(found)}


def _try_open(path: str, complain: Complain) -> Source | None:
    try:
        return _open(path)
    except FileNotFoundError:  # it was rotated since it was listed
        return None
    except OSError as error:
        complain(f"{path}: {error.strerror or error}")
        return None


def _open(path: str) -> Source:
    return Source(path, io.BufferedReader(io.FileIO(path), _BUFFER))


def _unpacked(file: io.BufferedReader) -> Lines:
    """What a file holds, whatever its name is."""
    begin = file.peek(4)[:4]
    if begin.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    if begin == _ZSTD:
        raise _UnknownError("zstd is not read here: zstd -dc FILE | otel-stream streams -")
    return file


def _pieces(file: Lines, longest: int) -> Iterator[bytes | None]:
    while line := file.readline(longest):
        if len(line) < longest or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_BUFFER)
        yield None
