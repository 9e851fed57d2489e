"""A file of lines that many processes append to, rotated by size and bounded.

Each write is one `write(2)` with `O_APPEND` under an advisory lock (`flock`) on a side file, so a
line is never split and a rotation never runs twice. Where there is no `flock` (Windows), only one
process may write to a folder. Rotated files are `NAME.1` (the newest) to `NAME.<keep>`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from otel_stream.fork import call_in_child

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LineFile"]


class LineFile:
    """A text stream for whole lines: each `write` is one line, or several.

    Nothing exists on disk before the first write. A file that another process rotated, or that
    somebody removed, is opened anew. In a forked child it opens files of its own.

    Args:
        path: The file. Its folder is made at the first write.
        max_bytes: A write that would make the file longer than this rotates it first, so that only
            a single longer write makes a longer file.
        keep: How many rotated files stay.
    """

    def __init__(self, path: str, *, max_bytes: int, keep: int) -> None:
        self.path = os.path.abspath(path)
        self.closed = False
        self._max_bytes = max_bytes
        self._keep = keep
        folder, name = os.path.split(self.path)
        self._data = _Handle(self.path, os.O_RDWR | os.O_APPEND)
        self._lock = _Handle(os.path.join(folder, f".{name}.lock"), os.O_RDWR)
        self._mine = threading.Lock()
        call_in_child(self.forget)

    def write(self, lines: str) -> int:
        """Append whole lines, the last one with its line end. Returns the number of characters.

        Raises:
            OSError: The folder or the file cannot be written. Nothing of it stays in the file.
            ValueError: The file is closed.
        """
        data = lines.encode("utf-8", "backslashreplace")
        with self._mine:
            if self.closed:
                raise ValueError("write to a closed file")
            with self._locked():
                self._append(data)
        return len(lines)

    def flush(self) -> None:
        """Nothing waits here: each write has gone to the system when it returns."""

    def close(self) -> None:
        """Close the file. Later writes are errors."""
        with self._mine:
            self.closed = True
            self._data.close()
            self._lock.close()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock file, which may have been removed while it was waited for."""
        while True:
            lock = self._lock.open()
            if fcntl is None:
                break
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._lock.current():
                break
            self._lock.close()
        try:
            yield
        finally:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_UN)

    def _append(self, data: bytes) -> None:
        file = self._data.open()
        size = os.fstat(file).st_size
        if size and size + len(data) > self._max_bytes:
            self._rotate()
            file = self._data.open()
            size = os.fstat(file).st_size
        if size and _last_byte(file, size) != b"\n":
            # A writer was killed in the middle of a line: its piece stays apart from ours.
            data = b"\n" + data
        try:
            while data:
                data = data[os.write(file, data) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, size)
            raise

    def _rotate(self) -> None:
        self._data.close()
        number = self._keep
        while os.path.lexists(self._rotated(number + 1)):  # there were more to keep once
            number += 1
            os.unlink(self._rotated(number))
        for older in range(self._keep, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(self._rotated(older - 1), self._rotated(older))
        if not self._keep:
            os.unlink(self.path)

    def _rotated(self, number: int) -> str:
        return f"{self.path}.{number}" if number else self.path

    def forget(self) -> None:
        """Let go of what was inherited over a fork: the parent's lock would count as ours too."""
        self._mine = threading.Lock()
        self._data.close()
        self._lock.close()


class _Handle:
    """A path, and the file that is open there: opened when needed, and anew when it was moved."""

    __slots__ = ("_file", "_flags", "path")

    def __init__(self, path: str, flags: int) -> None:
        self.path = path
        self._flags = flags | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        self._file: int | None = None

    def open(self) -> int:
        if self._file is not None and not self.current():
            self.close()
        if self._file is None:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._file = os.open(self.path, self._flags, 0o666)
        return self._file

    def current(self) -> bool:
        """Whether the open file is still the one at the path."""
        if self._file is None:
            return False
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._file))

    def close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)


def _last_byte(file: int, size: int) -> bytes:
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1)
