"""Taking the trace along where work goes to another thread, queue or loop.

OpenTelemetry's context lives in context variables: they follow tasks, and neither threads nor what
lies in a queue. Nothing is patched here: what is to be carried says so.

    with otel_stream.carry() …     a `Carrier`: put it beside the item, enter it where work goes on
    otel_stream.carried(work)      a function, coroutine function or coroutine that takes it along
    otel_stream.carrying(queue)    a queue whose items do, until the next one is taken
    otel_stream.resume(id)         where nothing can be taken along: by the message's id
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import wraps
from threading import Lock
from types import TracebackType
from typing import Any, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_stream import runtime, semconv
from otel_stream.delivery.hold import Hold
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.entry import Entry, enter, last, leave
from otel_stream.errors import guard

__all__ = ["Carrier", "carried", "carry", "carrying", "generates", "resume"]

Work = TypeVar("Work")
Q = TypeVar("Q")
_SHOWN = 0.001
"""Seconds of waiting from which on a hop is worth a span."""


class Carrier:
    """The current context, to be entered where the work goes on. Made by `carry`.

    It is a context manager, and may be entered more than once, also in several threads at a time;
    the first time tells how long the work has waited. A turn that is taken along goes on until the
    block is left, or the carrier is dropped unused.
    """

    def __init__(self, context: Context | None = None, *, since: float | None = None) -> None:
        self._context = otel_context.get_current() if context is None else context
        self._lock = Lock()
        self._entries: list[Entry] = []
        self._turn: Turn | None = None
        self._unused: Hold | None = None
        self._made = 0.0
        with guard("carrying a turn"):
            turn = self._turn = turn_in(self._context)
            if turn is not None:
                self._made = turn.clock() if since is None else since
                self._unused = Hold(turn, carried=True)

    def __enter__(self) -> Carrier:
        with guard("entering a carrier"):
            entry = self.take_up()
            with self._lock:
                self._entries.append(entry)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with guard("leaving a carrier"):
            entry = last(self._entries.__contains__)
            with self._lock:
                if entry is None and self._entries:
                    entry = self._entries[-1]  # Left elsewhere, as an abandoned generator is.
                if entry is not None:
                    self._entries.remove(entry)
            if entry is not None:
                put_down(entry, block=True)

    def take_up(self, via: object = None) -> Entry:
        """Enter it, until the entry is `put_down`. It is known by what it came `via`."""
        with self._lock:
            hold, self._unused = self._unused, None
        turn = self._turn
        if turn is not None:
            if hold is not None:
                self._arrived(turn)
            else:
                hold = Hold(turn, carried=True)
        return enter(self._context, hold, via)

    def _arrived(self, turn: Turn) -> None:
        """It is taken up. The time until then is shown where it counts as waiting."""
        since, now = self._made, turn.clock()
        if not turn.waited(since, now) or now - since < _SHOWN:
            return
        span = runtime.current().tracer.start_span(
            f"wait {turn.system}",
            self._context,
            SpanKind.INTERNAL,
            {semconv.MESSAGING_SYSTEM: turn.system, semconv.DELIVERY_QUEUE_WAIT: now - since},
            start_time=turn.wall(since),
        )
        span.end(turn.wall(now))


def put_down(entry: Entry, *, block: bool = False) -> None:
    """Leave what was entered, perhaps by a `with` statement, and let go what it held."""
    held, entry.held = entry.held, None
    leave(entry, block=block)
    if isinstance(held, Hold):
        held.release()


def carry() -> Carrier:
    """The current context, to be entered where the work goes on."""
    return Carrier()


def resume(message_id: str) -> Carrier:
    """The turn that a person's message began, for work to which nothing could be taken along.

    Where the message is not being answered, or unknown, the current context is kept.
    """
    turn = None
    with guard("finding the turn of a message"):
        turn = open_turns.of_message(message_id)
    if turn is None or turn_in() is turn:
        return Carrier()
    return Carrier(turn.context, since=turn.received if turn.queue_wait is None else None)


def carried(work: Work) -> Work:
    """`work` with the current context taken along.

    For `Thread(target=carried(run))`, `executor.submit(carried(run), item)`,
    `asyncio.run_coroutine_threadsafe(carried(answer(item)), loop)`, `loop.call_soon(carried(f))`.

    Args:
        work: A function, a coroutine function, or a coroutine.

    Raises:
        TypeError: It is none of these. A generator function is none: what it does happens later,
            where it is read. There a `carry()` is entered, around the loop.
    """
    from inspect import iscoroutine, iscoroutinefunction

    if generates(work) or not (iscoroutine(work) or callable(work)):
        raise TypeError(f"carried() expects a function or a coroutine, not {_kind_of(work)}")
    carrier = Carrier()
    if iscoroutine(work):
        return cast(Work, _finished(carrier, work))
    if iscoroutinefunction(work):

        @wraps(work)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with carrier:
                return await work(*args, **kwargs)

        return cast(Work, coroutine)

    @wraps(work)
    def function(*args: Any, **kwargs: Any) -> Any:
        with carrier:
            made = work(*args, **kwargs)
            # A coroutine that something else than a coroutine function has made: a partial, a
            # lambda, an object that can be called. It runs later.
            return _finished(Carrier(), made) if iscoroutine(made) else made

    return cast(Work, function)


def generates(work: object) -> bool:
    """Whether it does nothing when it is called, but later, where what it returns is read."""
    from inspect import isasyncgenfunction, isgeneratorfunction

    return isgeneratorfunction(work) or isasyncgenfunction(work)


def _kind_of(work: object) -> str:
    if generates(work):
        return "a generator function: enter a carry() around the loop that reads it"
    return type(work).__name__


async def _finished(carrier: Carrier, work: Awaitable[Any]) -> Any:
    with carrier:
        return await work


def carrying(queue: Q) -> Q:
    """`queue` (of `queue` or `asyncio`), with the context of who puts an item taken along.

    Both sides use what this returns, and not the queue that was given. Who takes an item works in
    its context until it takes the next one or calls `task_done`. In Python 3.11
    `asyncio.wait_for(queue.get(), …)` takes it in a task of its own: put a `carry()` beside the
    item there, or use `asyncio.timeout`.

    Raises:
        TypeError: It reaches other processes, where a context cannot go.
    """
    if type(queue).__module__.startswith("multiprocessing."):
        raise TypeError("carrying() expects a queue of this process; send a traceparent instead")
    # Here, since wrapt brings asyncio: 15 ms for those who use it.
    from otel_stream.carrying_queue import CarryingQueue

    return cast(Q, CarryingQueue(queue))
