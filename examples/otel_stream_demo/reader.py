"""How people read: to the end, slowly, not to the end, not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

__all__ = ["cancel_after", "forget", "leave_after", "read_all", "read_slowly"]


def read_all(stream: Iterable[Any]) -> None:
    """Read to the end."""
    for _ in stream:
        pass


def read_slowly(stream: Iterable[Any], pause: float) -> None:
    """Read to the end, with a pause (s) after each piece: a slow channel, a busy program."""
    for _ in stream:
        time.sleep(pause)


def leave_after(stream: Iterable[Any], pieces: int) -> None:
    """Have enough after so many pieces."""
    for number, _ in enumerate(stream, 1):
        if number == pieces:
            break


def forget(stream: Iterator[Any], pieces: int) -> None:
    """Take some pieces with `next`, and then neither read on nor close."""
    for _ in range(pieces):
        next(stream)


def cancel_after(reading: Coroutine[Any, Any, None], seconds: float) -> None:
    """Read in a task, and cancel that task."""

    async def run() -> None:
        task = asyncio.create_task(reading)
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    asyncio.run(run())
