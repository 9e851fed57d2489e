"""The agent's JSON lines, read from where they ended when the check began."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from otel_stream.pipeline.answer import Unreachable

__all__ = ["JsonFiles"]

_SIGNALS = ("traces", "metrics", "logs")


class JsonFiles:
    """A folder with `traces.jsonl`, `metrics.jsonl`, `logs.jsonl`, and what they are rotated to.

    A file is known by its number, which a rotation leaves as it is.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self._read: dict[int, int] = {}

    def begin(self) -> None:
        """Pass over what is there now.

        Raises:
            Unreachable: The folder is not there, or cannot be read.
        """
        for signal in _SIGNALS:
            self._read |= {path.stat().st_ino: path.stat().st_size for path in self._files(signal)}

    def fresh(self, signal: str, mark: str) -> Iterator[Any]:
        """The whole lines with this mark that have come since, each once.

        Raises:
            Unreachable: The folder is not there, or cannot be read.
        """
        for path in self._files(signal):
            try:
                lines = self._lines(path)
            except FileNotFoundError:  # it was rotated away since it was listed
                continue
            except OSError as error:
                raise Unreachable(f"{path}: {error.strerror or error}") from error
            yield from (json.loads(line) for line in lines if mark.encode() in line)

    def _files(self, signal: str) -> list[Path]:
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except OSError as error:
            raise Unreachable(f"{self.folder}: {error.strerror or error}") from error
        wanted = (name for name in names if name.startswith(signal) and ".jsonl" in name)
        return [self.folder / name for name in wanted if not name.endswith((".gz", ".zst"))]

    def _lines(self, path: Path) -> list[bytes]:
        with path.open("rb") as file:
            number = path.stat().st_ino
            file.seek(self._read.get(number, 0))
            whole, newline, _ = file.read().rpartition(b"\n")
            self._read[number] = self._read.get(number, 0) + len(whole) + len(newline)
        return whole.splitlines()
