"""Contexts that are entered here, one on the other, and may be left in any order.

OpenTelemetry's tokens are given back in the order of a stack, and where they were got. What stands
in a queue, a generator or a web framework's dependency keeps neither: so each entry knows what was
current before it, and leaving puts that back, or tells the entry above.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

__all__ = ["Entry", "enter", "last", "leave"]


class Entry:
    """One context, entered by one thread or task.

    Args:
        held: Whatever is to live until it is left, or nobody is there any more to leave it.
        via: What it came by.
    """

    __slots__ = ("__weakref__", "held", "left", "via", "worker")

    def __init__(self, held: object, via: object) -> None:
        self.held = held
        self.via = via
        self.worker = _worker()
        self.left = False


_entered: ContextVar[tuple[tuple[Entry, Context], ...]] = ContextVar(
    "otel_stream-entered", default=()
)
"""With each entry what was current before. A task inherits them from the one that starts it."""


def enter(context: Context, held: object = None, via: object = None) -> Entry:
    """Make `context` the current one until the entry is left."""
    entry = Entry(held, via)
    before = otel_context.get_current()
    # What somebody else has entered is theirs to leave, and what is left is over: neither piles up
    # where one task starts the next one, on and on.
    mine = [each for each in _entered.get() if _lasts(each[0], entry.worker)]
    _entered.set((*mine, (entry, before)))
    otel_context.attach(context)
    return entry


def leave(entry: Entry) -> None:
    """Put back what was current before. Nothing happens to the context anywhere but where it is."""
    entry.left = True
    entered = list(_entered.get())
    found = [at for at, (each, _) in enumerate(entered) if each is entry]
    if not found:
        return
    at = found[0]
    _, before = entered.pop(at)
    if at < len(entered):
        entered[at] = (entered[at][0], before)
    else:
        otel_context.attach(before)
    _entered.set(tuple(entered))


def last(wanted: Callable[[Entry], bool]) -> Entry | None:
    """The last such entry that this very thread or task has made and not left."""
    worker = _worker()
    for entry, _ in reversed(_entered.get()):
        if wanted(entry) and _lasts(entry, worker):
            return entry
    return None


def _lasts(entry: Entry, worker: tuple[int, int]) -> bool:
    return not entry.left and entry.worker == worker


def _worker() -> tuple[int, int]:
    """This thread, and the task that runs in it."""
    asyncio: Any = sys.modules.get("asyncio")  # Where nobody has imported it, there is no task.
    task = None
    if asyncio is not None and asyncio._get_running_loop() is not None:
        task = asyncio.current_task()
    return threading.get_ident(), id(task) if task is not None else 0
