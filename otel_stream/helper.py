"""Loops over an SDK's stream helpers, such as `client.chat.completions.stream(…)`.

A helper reads the stream in a generator of its own, which is no reader of the application's: when
it goes, nobody has left a loop. So the stream beneath tells nothing of its loops any more, and the
loops over the helper do.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from otel_stream.errors import guard
from otel_stream.patches import Patches
from otel_stream.stream import AsyncLoop, TracedAsyncIterator, TracedIterator

__all__ = ["wrap_async_helper", "wrap_helper"]

Held = TracedIterator | TracedAsyncIterator


class _Outer:
    """Stands in for a helper's inner iterator: passes its items on, and tells of loops left."""

    __slots__ = ("_held", "_source")

    def __init__(self, source: Any, held: Held) -> None:
        self._source = source
        self._held = held
        held.beneath = True

    def leave(self) -> None:
        """A loop over the helper was left."""
        self._held.left()


class _OuterIterator(_Outer):
    __slots__ = ()

    def __iter__(self) -> Generator[Any, None, None]:
        self._held.recorder.resume()
        for item in self._source:
            try:
                yield item
            except BaseException:  # The loop was left: this generator is being closed.
                self.leave()
                raise

    def __next__(self) -> Any:
        self._held.recorder.resume()
        return next(self._source)


class _OuterAsyncIterator(_Outer):
    __slots__ = ()

    def __aiter__(self) -> AsyncLoop:
        self._held.recorder.resume()
        return AsyncLoop(self)

    def __anext__(self) -> Any:
        self._held.recorder.resume()
        return self.read()

    def read(self) -> Any:
        """The next item."""
        return self._source.__anext__()


def wrap_helper(patches: Patches, target: str) -> None:
    """Tell of the loops over the helper class `target` (`module:Class`)."""
    patches.wrap(f"{target}.__init__", _made)


def wrap_async_helper(patches: Patches, target: str) -> None:
    """The same for a class that is read asynchronously."""
    patches.wrap(f"{target}.__init__", _made)
    patches.wrap(f"{target}.__aiter__", _loop)


def _made(wrapped: Any, helper: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    with guard("tracing a stream helper"):
        held = vars(helper._raw_stream).get("_iterator")
        if isinstance(held, TracedIterator):
            helper._iterator = _OuterIterator(helper._iterator, held)
        elif isinstance(held, TracedAsyncIterator):
            helper._iterator = _OuterAsyncIterator(helper._iterator, held)


def _loop(wrapped: Any, helper: Any, args: Any, kwargs: Any) -> Any:
    outer = vars(helper).get("_iterator")
    return outer.__aiter__() if isinstance(outer, _OuterAsyncIterator) else wrapped(*args, **kwargs)
