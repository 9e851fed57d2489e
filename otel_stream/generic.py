"""`trace_stream`: the same truth for any other iterator, without an instrumentor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

import wrapt

from otel_stream import interruption, runtime
from otel_stream.call import CallInfo
from otel_stream.callbacks import Callbacks
from otel_stream.delta import Delta, Failure, Found
from otel_stream.errors import guard
from otel_stream.stream import TracedAsyncIterator, TracedIterator
from otel_stream.trace import Trace

__all__ = ["trace_stream"]

T = TypeVar("T")
_DELTAS = (str, *Delta.__args__)


class _Items:
    """Reads items: by `read`, else texts and deltas as they are, and anything else as one chunk."""

    def __init__(
        self, read: Callable[[Any], Found] | None, terminal: Callable[[Any], bool] | None
    ) -> None:
        self._read = read
        self._terminal = terminal
        self._ended = terminal is None

    def read(self, item: Any) -> Found:
        if self._terminal is not None and self._terminal(item):
            self._ended = True
        if self._read is not None:
            return self._read(item)
        return item if isinstance(item, _DELTAS) else None

    def whole(self, done: bool) -> bool:
        return self._ended

    def failure(self, error: BaseException) -> Failure | None:
        return None


class _Traced(wrapt.ObjectProxy[Any]):
    """The iterable as it was, but for how it is iterated and closed."""

    def __init__(self, wrapped: Any, held: Any) -> None:
        super().__init__(wrapped)
        self._self_held = held

    def _closes(self) -> None:
        with guard("closing a stream"):
            self._self_held.recorder.close(interruption.of_reader())


class _TracedSync(_Traced):
    def __iter__(self) -> Iterator[Any]:
        return iter(self._self_held)

    def __next__(self) -> Any:
        return next(self._self_held)

    def close(self) -> Any:
        self._closes()
        return self.__wrapped__.close()

    def __enter__(self) -> Any:
        entered = self.__wrapped__.__enter__()
        return self if entered is self.__wrapped__ else entered

    def __exit__(self, *error: Any) -> Any:
        self._closes()
        return self.__wrapped__.__exit__(*error)


class _TracedAsync(_Traced):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self._self_held.__aiter__()  # type: ignore[no-any-return]

    def __anext__(self) -> Any:
        return self._self_held.__anext__()

    async def aclose(self) -> Any:
        self._closes()
        return await self.__wrapped__.aclose()

    async def __aenter__(self) -> Any:
        entered = await self.__wrapped__.__aenter__()
        return self if entered is self.__wrapped__ else entered

    async def __aexit__(self, *error: Any) -> Any:
        self._closes()
        return await self.__wrapped__.__aexit__(*error)


def trace_stream(
    stream: T,
    *,
    operation: str = "chat",
    provider: str = "unknown",
    model: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    read: Callable[[Any], Found] | None = None,
    terminal: Callable[[Any], bool] | None = None,
    callbacks: Callbacks | None = None,
) -> T:
    """Trace any sync or async iterable of an answer's pieces. Returns what behaves like `stream`.

    The clock starts here. The span is current while the next piece is made, so that what an agent
    framework does inside becomes its children, and never in the body of the consumer's loop.

    Args:
        stream: An iterator or iterable, sync or async; also one with `close` or as context manager.
        operation, provider, model, attributes: What the span says of the call.
        read: Turns an item into text (`str`), deltas (`otel_stream.delta`), or None. Without it
            strings and deltas count as they are, and every other item as a chunk without text.
        terminal: Tells the item that says the answer is whole. Without it the end of the iterator
            does; with it an end without such an item is `truncated`.
        callbacks: Told of this stream.

    Raises:
        TypeError: `stream` is no iterable.
    """
    if not hasattr(stream, "__aiter__") and not hasattr(stream, "__iter__"):
        kind = type(stream).__name__
        raise TypeError(f"trace_stream needs an iterable, sync or async, not {kind}")
    if runtime.is_suppressed():
        return stream
    info = CallInfo(
        operation=operation, provider=provider, model=model, attributes=dict(attributes or {})
    )
    with guard("tracing a stream"):
        trace = Trace(runtime.current(), info, _Items(read, terminal), own_callbacks=callbacks)
        return cast(T, _proxy(stream, trace))
    return stream


def _proxy(stream: Any, trace: Trace) -> Any:
    recorder, context = trace.recorder, trace.context
    if hasattr(stream, "__aiter__"):
        return _TracedAsync(
            stream, TracedAsyncIterator(stream.__aiter__(), recorder, context=context)
        )
    return _TracedSync(stream, TracedIterator(iter(stream), recorder, context=context))
