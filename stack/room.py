"""The folder of a stack: a given one that stays, or one that goes with it."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["RoomError", "room"]


class RoomError(Exception):
    """The folder cannot be used; the message is a line."""


@contextlib.contextmanager
def room(given: str | None) -> Iterator[Path]:
    """The folder, for this stack alone.

    Args:
        given: A path, made if it is not there; None for a temporary folder.

    Raises:
        RoomError: It cannot be made, or another stack is in it.
    """
    if given is None:
        own = Path(tempfile.mkdtemp(prefix="otel-stream-stack-"))
        try:
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)
        return
    path = Path(given).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / ".lock").open("w")
    except OSError as error:
        raise RoomError(f"{given}: {error.strerror or error}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RoomError(f"{given}: another stack runs in this folder") from None
        yield path
