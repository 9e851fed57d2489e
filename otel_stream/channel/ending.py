"""Waits for tasks that are to end, as long as that can take and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["ended"]

_LAST = 0.5
"""How long a task may take to end once it was cancelled for the last time (s)."""


async def ended(tasks: Iterable[asyncio.Task[Any]], within: float) -> bool:
    """Wait for *tasks* for *within* seconds, then cancel them. Returns whether all have ended.

    One that keeps its cancellation to itself is left behind half a second later.

    Raises:
        asyncio.CancelledError: This task was cancelled meanwhile, perhaps often. The others are
            then cancelled too, each time, and waited for all the same.
    """
    loop = asyncio.get_running_loop()
    begun, left = loop.time(), _open(tasks)
    cancelled: asyncio.CancelledError | None = None
    for until in (begun + within, begun + within + _LAST):
        while left and loop.time() < until:
            try:
                await asyncio.wait(left, timeout=until - loop.time())
            except asyncio.CancelledError as error:
                cancelled = error
                _cancel(left)
            left = _open(left)
        _cancel(left)
    if cancelled is not None:
        raise cancelled
    return not left


def _open(tasks: Iterable[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    return {task for task in tasks if not task.done()}


def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
