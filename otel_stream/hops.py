"""Taking the trace along where work goes to another thread, queue or loop.

OpenTelemetry's context lives in context variables: they follow tasks, and neither threads nor what
lies in a queue. Nothing is patched here: what is to be carried says so.

    with otel_stream.carry() …     a `Carrier`: put it beside the item, enter it where work goes on
    otel_stream.carried(work)      a function, coroutine function or coroutine that takes it along
    otel_stream.carrying(queue)    a queue whose items do, until the next one is taken
    otel_stream.resume(id)         where nothing can be taken along: by the message's id
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from contextvars import ContextVar
from functools import wraps
from threading import Lock
from types import TracebackType
from typing import Any, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_stream import runtime, semconv
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.errors import guard

__all__ = ["Carrier", "carried", "carry", "carrying", "resume"]

Work = TypeVar("Work")
Q = TypeVar("Q")
_SHOWN = 0.001
"""Seconds of waiting from which on a hop is worth a span."""


_entered: ContextVar[tuple[Any, ...]] = ContextVar("otel_stream-entered", default=())
"""Tokens of the carriers that are entered here: one carrier may be, in several threads at once."""


class Carrier:
    """The current context, to be entered where the work goes on. Made by `carry`.

    It is a context manager, and may be entered more than once; the first time tells how long the
    work has waited. A turn that is taken along goes on until the block is left, or the carrier is
    dropped unused.
    """

    def __init__(self, context: Context | None = None) -> None:
        self._context = otel_context.get_current() if context is None else context
        self._made = time.perf_counter()
        self._wall = time.time_ns()
        self._lock = Lock()
        self._unused = True
        self._turn: Turn | None = None
        with guard("carrying a turn"):
            self._turn = turn_in(self._context)
            if self._turn is not None:
                self._turn.hold(carried=True)

    def __enter__(self) -> Carrier:
        with guard("entering a carrier"):
            with self._lock:
                first, self._unused = self._unused, False
            if self._turn is not None:
                self._arrived(self._turn) if first else self._turn.hold(carried=True)
        _entered.set((*_entered.get(), otel_context.attach(self._context)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        *others, token = _entered.get()
        _entered.set(tuple(others))
        otel_context.detach(token)
        with guard("leaving a carrier"):
            if self._turn is not None:
                self._turn.release()

    def __del__(self) -> None:
        turn = self.__dict__.get("_turn")
        if turn is not None and self._unused:
            with guard("dropping a carrier"):
                turn.release()

    def _arrived(self, turn: Turn) -> None:
        waited = time.perf_counter() - self._made
        turn.waited(waited)
        if waited >= _SHOWN:
            system = turn.system
            span = runtime.current().tracer.start_span(
                f"wait {system}",
                self._context,
                SpanKind.INTERNAL,
                {semconv.MESSAGING_SYSTEM: system, semconv.DELIVERY_QUEUE_WAIT: waited},
                start_time=self._wall,
            )
            span.end(self._wall + round(waited * 1e9))


def carry() -> Carrier:
    """The current context, to be entered where the work goes on."""
    return Carrier()


def resume(message_id: str) -> Carrier:
    """The turn that a person's message began, for work to which nothing could be taken along.

    Where the message is not being answered, or unknown, the current context is kept.
    """
    turn = open_turns.of_message(message_id)
    if turn is None or turn_in() is turn:
        return Carrier()
    return Carrier(turn.context)


def carried(work: Work) -> Work:
    """`work` with the current context taken along.

    For `Thread(target=carried(run))`, `executor.submit(carried(run), item)`,
    `asyncio.run_coroutine_threadsafe(carried(answer(item)), loop)`, `loop.call_soon(carried(f))`.

    Args:
        work: A function, a coroutine function, or a coroutine.

    Raises:
        TypeError: It is none of these.
    """
    from inspect import iscoroutine, iscoroutinefunction

    carrier = Carrier()
    if iscoroutine(work):
        return cast(Work, _finished(carrier, work))
    if not callable(work):
        raise TypeError(f"carried() expects a function or a coroutine, not {type(work).__name__}")
    if iscoroutinefunction(work):

        @wraps(work)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with carrier:
                return await work(*args, **kwargs)

        return cast(Work, coroutine)

    @wraps(work)
    def function(*args: Any, **kwargs: Any) -> Any:
        with carrier:
            return work(*args, **kwargs)

    return cast(Work, function)


async def _finished(carrier: Carrier, work: Awaitable[Any]) -> Any:
    with carrier:
        return await work


def carrying(queue: Q) -> Q:
    """`queue` (of `queue` or `asyncio`), with the context of who puts an item taken along.

    Who takes an item works in its context until it takes the next one or calls `task_done`. In
    Python 3.11 `asyncio.wait_for(queue.get(), …)` takes it in a task of its own: put a `carry()`
    beside the item there.
    """
    from otel_stream.parcels import (
        CarryingQueue,  # wrapt brings asyncio: 15 ms for those who use it
    )

    return cast(Q, CarryingQueue(queue))
