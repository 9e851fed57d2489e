"""What a process uses, as Linux counts it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["Usage"]

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.1


class Usage:
    """CPU and memory of a process within a `with` block.

    Args:
        pid: Its number.
    """

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="usage", daemon=True)
        self._began = 0.0
        self.cpu = 0.0
        """CPU seconds, of all its threads."""
        self.memory = 0.0
        """The most memory that was resident, in MiB."""

    def __enter__(self) -> Usage:
        self._began = self._cpu()
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._watching.join()
        self.cpu = self._cpu() - self._began

    def _watch(self) -> None:
        while True:
            pages = int((self._proc / "statm").read_text().split()[1])
            self.memory = max(self.memory, pages * _PAGE / 2**20)
            if self._stopping.wait(_EVERY):
                return

    def _cpu(self) -> float:
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
