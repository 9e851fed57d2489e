"""What gives a run's events one by one: each is made in the run's own context.

The context goes on as each step leaves it. An agent is a generator, and another instrumentation
may attach a span of its own in one step and detach it in a later one: it is current there in every
step, and never in the body of the consumer's loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Token
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

__all__ = ["AsyncSteps", "Steps", "leave"]

_attach, _detach = otel_context.attach, otel_context.detach
_current = otel_context.get_current


def leave(token: Token[Context], entered: Context, error: BaseException | None = None) -> Context:
    """Detach what was attached as *entered*. Returns the context that was current until now.

    A coroutine that nobody waits for any more is closed wherever it is dropped, perhaps where
    nothing of ours was attached: then nothing is to be detached.
    """
    left = _current()
    if left is entered or not isinstance(error, GeneratorExit):
        _detach(token)
        return left
    return entered


class _Steps:
    """What both kinds share."""

    __slots__ = ("_begun", "_context", "_items")

    def __init__(self, items: Any, context: Context) -> None:
        self._items = items
        self._begun = self._context = context


class Steps(_Steps):
    """The steps of a generator.

    Args:
        items: Makes the events.
        context: Current while it makes the first.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        token = _attach(self._context)
        try:
            return self._items.__next__()
        finally:
            self._context = _current()
            _detach(token)

    def within(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """*method* of the generator's, called in its context."""

        def called(*args: Any) -> Any:
            token = _attach(self._context)
            try:
                return method(*args)
            finally:
                self._context = _current()
                _detach(token)

        return called

    def __del__(self) -> None:
        # Whoever has left something attached detaches it now, and not where this is dropped.
        if self._context is not self._begun and hasattr(self._items, "close"):
            self.within(self._items.close)()


class AsyncSteps(_Steps):
    """The steps of an async generator. See `Steps`."""

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        entered = self._context
        token = _attach(entered)
        failed: BaseException | None = None
        try:
            return await self._items.__anext__()
        except BaseException as error:
            failed = error
            raise
        finally:
            self._context = leave(token, entered, failed)
            failed = None  # It holds this frame.

    def within(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """*method* of the generator's, awaited in its context."""

        async def called(*args: Any) -> Any:
            entered = self._context
            token = _attach(entered)
            try:
                return await method(*args)
            finally:
                self._context = leave(token, entered)

        return called
