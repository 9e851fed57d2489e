"""Contexts that are entered here, one on the other, and may be left in any order.

OpenTelemetry's tokens are given back in the order of a stack, and where they were got. What stands
in a queue, a generator or a web framework's dependency keeps neither: so each entry knows what was
current before it, and leaving puts that back: at once where the entry's context is the current one
or its block ends, else when it becomes that again, as what had been put on top of it has ended.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import ref

from opentelemetry import context as otel_context
from opentelemetry.context import Context

__all__ = ["Entry", "enter", "last", "leave", "settle"]


class Entry:
    """One context, entered by one thread or task.

    Args:
        context: It, as an object that is current for this entry's sake alone.
        held: Whatever is to live until it is left, or nobody is there any more to leave it.
        via: What it came by.
    """

    __slots__ = ("__weakref__", "context", "held", "left", "via", "worker")

    def __init__(self, context: Context, held: object, via: object) -> None:
        self.context = ref(context)
        self.held = held
        self.via = via
        self.worker = _worker()
        self.left = False


_entered: ContextVar[tuple[tuple[Entry, Context], ...]] = ContextVar(
    "otel_stream-entered", default=()
)
"""With each entry what was current before. A task inherits them from the one that starts it."""


_left: ContextVar[tuple[tuple[ref[Context], Context], ...]] = ContextVar(
    "otel_stream-left", default=()
)
"""Contexts that were left here, each with what comes back in its place. While somebody may still
bring it back, as a span does that was put on top of it, it is alive."""


def enter(context: Context, held: object = None, via: object = None) -> Entry:
    """Make `context` the current one until the entry is left."""
    settle()
    own = Context(context)
    entry = Entry(own, held, via)
    before = otel_context.get_current()
    # What somebody else has entered is theirs to leave, and what is left is over: neither piles up
    # where one task starts the next one, on and on.
    mine = [each for each in _entered.get() if _lasts(each[0], entry.worker)]
    _entered.set((*mine, (entry, before)))
    otel_context.attach(own)
    return entry


def leave(entry: Entry, *, block: bool = False) -> None:
    """Put back what was current before. Nothing happens to the context anywhere but where it is.

    Args:
        entry: What `enter` has given.
        block: A `with` statement ends: whatever was put on top in it and is still there is over.
    """
    entry.left = True
    entered = _entered.get()
    for each, before in entered:
        if each is entry:
            _entered.set(tuple(one for one in entered if one[0] is not entry))
            alive = [one for one in _left.get() if one[0]() is not None]
            _left.set((*alive, (entry.context, before)))
            if block and each is entered[-1][0]:
                otel_context.attach(before)
            settle()
            return


def settle() -> None:
    """Where a context that was left is current again, put back what was current before it."""
    current = found = otel_context.get_current()
    left = {id(context()): before for context, before in _left.get()}
    while id(found) in left:
        found = left[id(found)]
    if found is not current:
        otel_context.attach(found)


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
