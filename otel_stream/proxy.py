"""What `trace_stream` returns: the iterable as it was, but for how it is iterated and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import wrapt

from otel_stream import interruption
from otel_stream.errors import guard
from otel_stream.stream import TracedAsyncIterator, TracedIterator

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_stream.record.recorder import Recorder

    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # which knows no parameters before wrapt 2

__all__ = ["Sources", "stand_in", "traced"]


_ENDS = frozenset({"aclose", "athrow", "close", "throw"})
"""Methods with which a reader stops."""

Sources = tuple[Iterator[Any] | None, AsyncIterator[Any] | None]
"""What gives an iterable's items: sync, async, or some of both."""


class _Traced(_Proxy):
    """What all share. `loop` and `aloop` stand in for the iterators of `stream`, if it has them."""

    def __init__(self, stream: Any, loop: Any, aloop: Any) -> None:
        super().__init__(stream)
        self._self_loop = loop
        self._self_aloop = aloop
        self._self_begun = False

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name in _ENDS:
            return self._self_closing(found)
        return self._self_sending(name, found) if name in ("asend", "send") else found

    def _self_begin(self, used: Any, other: Any) -> Any:
        """Somebody reads through `used`, so that the other one means nothing any more."""
        if other is not None:
            other.released = True
        self._self_begun = True
        return used

    def _self_closing(self, close: Any) -> Any:
        within = getattr((self._self_loop or self._self_aloop).source, "within", None)
        close = close if within is None else within(close)

        def closing(*args: Any, **kwargs: Any) -> Any:
            self._self_closes()
            return close(*args, **kwargs)

        return closing

    def _self_sending(self, name: str, send: Any) -> Any:
        """A generator's `send`: with None it is a read like any other."""
        read = "__next__" if name == "send" else "__anext__"

        def sending(value: Any) -> Any:
            return getattr(self, read)() if value is None else send(value)

        return sending

    def _self_closes(self) -> None:
        with guard("closing a stream"):
            (self._self_loop or self._self_aloop).recorder.close(interruption.of_reader())


class _Sync(_Traced):
    def __iter__(self) -> Iterator[Any]:
        if self._self_begun:  # A list begins anew, and what is itself an iterator goes on.
            again = iter(self.__wrapped__)
            if again is not self.__wrapped__:
                self._self_loop.source = again
        return iter(self._self_begin(self._self_loop, self._self_aloop))

    def __next__(self) -> Any:
        return next(self._self_begin(self._self_loop, self._self_aloop))

    def __enter__(self) -> Any:
        entered = self.__wrapped__.__enter__()
        return self if entered is self.__wrapped__ else entered

    def __exit__(self, *error: Any) -> Any:
        self._self_closes()
        return self.__wrapped__.__exit__(*error)


class _Async(_Traced):
    def __aiter__(self) -> AsyncIterator[Any]:
        if self._self_begun:
            again = self.__wrapped__.__aiter__()
            if again is not self.__wrapped__:
                self._self_aloop.source = again
        return self._self_begin(self._self_aloop, self._self_loop).__aiter__()  # type: ignore[no-any-return]

    def __anext__(self) -> Any:
        return self._self_begin(self._self_aloop, self._self_loop).__anext__()

    async def __aenter__(self) -> Any:
        entered = await self.__wrapped__.__aenter__()
        return self if entered is self.__wrapped__ else entered

    async def __aexit__(self, *error: Any) -> Any:
        self._self_closes()
        return await self.__wrapped__.__aexit__(*error)


class _Both(_Sync, _Async):
    """Some frameworks hand out one object for both kinds of loops."""


def stand_in(stream: Any, loop: Any, aloop: Any) -> Any:
    """What behaves like `stream`, but that it is read through `loop` or `aloop` (not both None).

    Each of those has what `TracedIterator` has: `source`, `released`, `recorder.close(outcome)`. A
    source may have `within`, which makes of a method of the stream's one that is called in the
    context that belongs to the stream.
    """
    proxy = _Both if loop and aloop else _Sync if loop else _Async
    return proxy(stream, loop, aloop)


def traced(stream: Any, sources: Sources, recorder: Recorder, context: Context) -> Any:
    """`stream`, whose loops over `sources` feed `recorder`, with `context` current in each read."""
    source, asource = sources
    loop = aloop = None
    if source is not None:
        loop = TracedIterator(source, recorder, context=context)
    if asource is not None:
        aloop = TracedAsyncIterator(asource, recorder, context=context)
    return stand_in(stream, loop, aloop)
