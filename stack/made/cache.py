"""A folder of the user's in which what was built or fetched once stays, outside the work tree."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["Cache"]


class Cache:
    """Folders by name and by the hash of what they were made from.

    Args:
        root: Where; None is `otel-stream` in the user's cache folder (`XDG_CACHE_HOME`).
    """

    def __init__(self, root: Path | None = None) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.root = root or Path(home) / "otel-stream"

    def folder(self, name: str, made_from: bytes) -> Path:
        """Where what is made from these bytes is kept, or will be."""
        return self.root / f"{name}-{hashlib.sha256(made_from).hexdigest()[:16]}"

    def made(self, name: str, made_from: bytes, make: Callable[[Path], None]) -> Path:
        """The folder, filled by `make` unless it is there. Two processes never fill it at once.

        `make` gets an empty folder, which takes its place only when `make` has gone well.
        """
        kept = self.folder(name, made_from)
        with self._alone(kept.name):
            if not kept.exists():
                room = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.root))
                try:
                    make(room)
                    room.rename(kept)
                finally:
                    shutil.rmtree(room, ignore_errors=True)
        return kept

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
