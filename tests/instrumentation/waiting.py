"""Knows when a reader waits for the network, so that no test needs to guess by sleeping."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType
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

Condition = Callable[[], object]


def until(condition: Condition) -> None:
    """Wait for *condition* to hold. Raises `TimeoutError` if it does not in time."""
    end = time.monotonic() + _TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.001)


async def auntil(condition: Condition, timeout: float = _TIMEOUT) -> None:
    """The same, in an event loop."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not happen")
        await asyncio.sleep(0.001)


def until_thread_waits(ident: int | None, begun: Condition) -> None:
    """Wait until thread *ident*, once it has *begun*, waits for bytes of the network."""
    seen: list[tuple[int, int]] = []

    def waits() -> bool:
        frame = sys._current_frames().get(ident or 0)
        if frame is None or not begun() or not _reads_network(frame.f_code):
            seen.clear()
        else:
            seen.append((id(frame), frame.f_lasti))
        return len(seen) >= _LOOKS and len(set(seen[-_LOOKS:])) == 1

    until(waits)


def _reads_network(code: CodeType) -> bool:
    """Whether this is where `httpcore` and `httpcore2` wait for a socket."""
    return code.co_name == "read" and "_backends" in code.co_filename


async def until_task_waits(task: asyncio.Task[Any], begun: Condition) -> None:
    """Wait until *task*, once it has *begun*, waits for something of the event loop."""
    looks = 0

    def waits() -> bool:
        nonlocal looks
        pending = getattr(task, "_fut_waiter", None) is not None and begun()
        looks = looks + 1 if pending else 0
        return looks >= _LOOKS or task.done()

    await auntil(waits)


def interrupt_when_waiting(begun: Condition) -> None:
    """Press Ctrl-C, from another thread, once the main thread has *begun* and waits."""
    main = threading.main_thread().ident
    assert main is not None

    def press() -> None:
        until_thread_waits(main, begun)
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
        except BaseException as error:  # noqa: BLE001 - the application's, to compare
            self._error = error

    def __enter__(self) -> threading.Thread:
        self.thread.start()
        return self.thread

    def __exit__(self, *_: object) -> None:
        self.thread.join(_TIMEOUT)
        error, self._error = self._error, None
        if error is not None:
            raise error
