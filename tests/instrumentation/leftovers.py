"""What a run leaves behind: threads, tasks, open files, log lines."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["settled", "watched"]

_OURS = {"otel-stream-watcher", "otel-stream-callbacks"}
_TESTKIT = {"ctrl-c", "otel-stream-provider", "otel-stream-wait-for"}
_TURNS = 30

LeftOver = dict[str, set[str]]


async def settled() -> None:
    """Let the loop do what it has been given to do.

    A generator that was dropped is closed by a task, in a later turn of the loop; then the one that
    it read from is dropped, and so on.
    """
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(re.sub(r"Task-\d+", "Task", f"{record.name}: {record.getMessage()}"))


@contextmanager
def watched(loop: asyncio.AbstractEventLoop) -> Iterator[LeftOver]:
    """Fills in, at the end of the block, what was left over in it."""
    lines = _Lines()
    threads, files = _threads(), _files()
    found: LeftOver = {}
    logging.getLogger().addHandler(lines)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(lines)
    found["threads"] = _threads() - threads - _OURS
    found["files"] = _files() - files
    found["tasks"] = {str(task) for task in asyncio.all_tasks(loop)}
    found["lines"] = set(lines.said)


def _threads() -> set[str]:
    """Threads that run, but for the server's and those in which the loop resolves host names."""
    names = {thread.name for thread in threading.enumerate()} - _TESTKIT
    return {name for name in names if not name.startswith("asyncio_")}


def _files() -> set[str]:
    """Open files, but not sockets: those are the connection pool's."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue  # the directory itself
        if not path.startswith(("socket:", "anon_inode:")):
            found.add(path)
    return found
