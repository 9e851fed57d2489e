"""A file that somebody else writes lines to."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Growing"]


class Growing:
    """Hands out the lines that are written after it was made, each once, when they are whole.

    Args:
        path: The file; it may come later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0

    def lines(self) -> list[str]:
        """The whole lines since the last time."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole = file.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()
