"""What `trace_stream` returns: the iterable as it was, but for how it is iterated and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from otel_stream import interruption
from otel_stream.errors import guard
from otel_stream.stream import TracedAsyncIterator, TracedIterator

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_stream.record.recorder import Recorder

__all__ = ["Sources", "stand_in", "traced"]


_ENDS = frozenset({"aclose", "athrow", "close", "throw"})
"""Methods with which a reader stops."""

Sources = tuple[Iterator[Any] | None, AsyncIterator[Any] | None]
"""What gives an iterable's items: sync, async, or some of both."""


_MADE = frozenset({
    "__class__", "__class_getitem__", "__del__", "__delattr__", "__dict__", "__doc__",
    "__getattr__", "__getattribute__", "__init__", "__init_subclass__", "__module__", "__new__",
    "__set_name__", "__setattr__", "__slots__", "__subclasshook__", "__weakref__",
})  # fmt: skip
"""Names of how objects and classes are made, which each class has for itself."""


class _Traced:
    """What all share. `loop` and `aloop` stand in for the iterators of `stream`, if it has them.

    No proxy of wrapt's: those have the methods of all protocols, whatever they stand for, and many
    programs ask an object by them what it is.
    """

    __slots__ = ("__weakref__", "__wrapped__", "_self_aloop", "_self_begun", "_self_loop")

    def __init__(self, stream: Any, loop: Any, aloop: Any) -> None:
        object.__setattr__(self, "__wrapped__", stream)
        self._self_loop = loop
        self._self_aloop = aloop
        self._self_begun = False

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self.__wrapped__.__class__

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_self_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
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


def _iter(self: _Traced) -> Iterator[Any]:
    if self._self_begun:  # A list begins anew, and what is itself an iterator goes on.
        again = iter(self.__wrapped__)
        if again is not self.__wrapped__:
            self._self_loop.source = again
    return iter(self._self_begin(self._self_loop, self._self_aloop))


def _next(self: _Traced) -> Any:
    return next(self._self_begin(self._self_loop, self._self_aloop))


def _enter(self: _Traced) -> Any:
    entered = self.__wrapped__.__enter__()
    return self if entered is self.__wrapped__ else entered


def _exit(self: _Traced, *error: Any) -> Any:
    self._self_closes()
    return self.__wrapped__.__exit__(*error)


def _aiter(self: _Traced) -> AsyncIterator[Any]:
    if self._self_begun:
        again = self.__wrapped__.__aiter__()
        if again is not self.__wrapped__:
            self._self_aloop.source = again
    return self._self_begin(self._self_aloop, self._self_loop).__aiter__()  # type: ignore[no-any-return]


def _anext(self: _Traced) -> Any:
    return self._self_begin(self._self_aloop, self._self_loop).__anext__()


async def _aenter(self: _Traced) -> Any:
    entered = await self.__wrapped__.__aenter__()
    return self if entered is self.__wrapped__ else entered


async def _aexit(self: _Traced, *error: Any) -> Any:
    self._self_closes()
    return await self.__wrapped__.__aexit__(*error)


_Methods = dict[str, Callable[..., Any]]
_SYNC: _Methods = {"__iter__": _iter, "__next__": _next, "__enter__": _enter, "__exit__": _exit}
_ASYNC: _Methods = {
    "__aiter__": _aiter, "__anext__": _anext, "__aenter__": _aenter, "__aexit__": _aexit,
}  # fmt: skip


@lru_cache(maxsize=256)
def _kind(of: Any, is_sync: bool, is_async: bool) -> type[_Traced]:
    """A class with the special methods of the class `of`, all of them and no others.

    Python looks for those at an object's class, where `__getattr__` is not asked.
    """
    ours = {**(_SYNC if is_sync else {}), **(_ASYNC if is_async else {})}
    made = {name: getattr(of, name) for name in ("__doc__", "__module__", "__qualname__")}
    for name in dir(of):
        if name[:2] == name[-2:] == "__" and name not in _MADE:
            method = getattr(of, name, "")
            if callable(method):
                made[name] = ours.get(name) or _forwarded(name)
            elif method is None:  # as `__hash__` of what has no hash
                made[name] = None
    return type(of.__name__, (_Traced,), {"__slots__": (), **made})


def _forwarded(name: str) -> Callable[..., Any]:
    def method(self: _Traced, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.__wrapped__, name)(*args, **kwargs)

    return method


def stand_in(stream: Any, loop: Any, aloop: Any) -> Any:
    """What behaves like `stream`, but that it is read through `loop` or `aloop` (not both None).

    Each of those has what `TracedIterator` has: `source`, `released`, `recorder.close(outcome)`. A
    source may have `within`, which makes of a method of the stream's one that is called in the
    context that belongs to the stream.
    """
    of: Any = type(stream)
    return _kind(of, loop is not None, aloop is not None)(stream, loop, aloop)


def traced(stream: Any, sources: Sources, recorder: Recorder, context: Context) -> Any:
    """`stream`, whose loops over `sources` feed `recorder`, with `context` current in each read."""
    source, asource = sources
    loop = aloop = None
    if source is not None:
        loop = TracedIterator(source, recorder, context=context)
    if asource is not None:
        aloop = TracedAsyncIterator(asource, recorder, context=context)
    return stand_in(stream, loop, aloop)
