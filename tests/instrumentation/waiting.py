"""Knows when a reader waits for the network, so that no test needs to guess by sleeping."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = [
    "Elsewhere",
    "auntil",
    "interrupt_when_waiting",
    "until",
    "until_task_waits",
    "until_thread_waits",
]

_TIMEOUT = 5.0
_LOOKS = 3
"""In so many looks in a row a reader must be seen waiting at the same place."""


def until(condition: Callable[[], object]) -> None:
    """Wait for *condition* to hold. Raises `TimeoutError` if it does not in time."""
    end = time.monotonic() + _TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.001)


async def auntil(condition: Callable[[], object], timeout: float = _TIMEOUT) -> None:
    """The same, in an event loop."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not happen")
        await asyncio.sleep(0.001)


def until_thread_waits(ident: int | None, sent: threading.Event) -> None:
    """Wait until thread *ident* waits for bytes of the network, with all that was sent read."""
    assert sent.wait(_TIMEOUT)
    seen: list[tuple[int, int]] = []

    def waits() -> bool:
        frame = sys._current_frames().get(ident or 0)
        code = frame.f_code if frame is not None else None
        if frame is None or code is None or code.co_name != "read":
            seen.clear()
        elif "_backends" in code.co_filename:
            seen.append((id(frame), frame.f_lasti))
        return len(seen) > _LOOKS and len(set(seen[-_LOOKS:])) == 1

    until(waits)


async def until_task_waits(task: asyncio.Task[Any], sent: threading.Event) -> None:
    """Wait until *task* waits for something of the event loop, with all that was sent read."""
    end = time.monotonic() + _TIMEOUT
    looks = 0
    while looks < _LOOKS and not task.done():
        if time.monotonic() > end:
            raise TimeoutError("the task did not come to wait")
        await asyncio.sleep(0)  # lets the loop look at its sockets
        waits = getattr(task, "_fut_waiter", None) is not None
        looks = looks + 1 if waits and sent.is_set() else 0


def interrupt_when_waiting(sent: threading.Event) -> None:
    """Press Ctrl-C, from a thread of its own, as soon as the main thread waits for the network."""
    main = threading.main_thread().ident
    assert main is not None

    def press() -> None:
        until_thread_waits(main, sent)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=press, name="ctrl-c").start()


class Elsewhere:
    """Runs *act* in a thread of its own.

    Leaving the block waits for it, and raises what it raised.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="elsewhere")

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> threading.Thread:
        self.thread.start()
        return self.thread

    def __exit__(self, *_: object) -> None:
        self.thread.join(_TIMEOUT)
        error, self._error = self._error, None
        if error is not None:
            raise error
