"""Loops over what an SDK's managers hand out: `with client.chat.completions.stream(…) as stream`.

A helper reads the stream in a generator of its own, which is no reader of the application's: when
it goes, nobody has left a loop. So the stream beneath tells nothing of its loops any more, and the
loops over the helper do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from otel_stream.errors import guard
from otel_stream.interruption import Task
from otel_stream.patches import Patches, Wrapper
from otel_stream.stream import AsyncLoop, TracedAsyncIterator, TracedIterator

__all__ = ["wrap_async_helper", "wrap_helper"]

Held = TracedIterator | TracedAsyncIterator


def wrap_helper(patches: Patches, target: str) -> None:
    """Tell of the loops over the helper class `target` (`module:Class`)."""
    patches.wrap(f"{target}.__init__", _made)
    patches.wrap(f"{target}.__iter__", _loop(_told))


def wrap_async_helper(patches: Patches, target: str) -> None:
    """The same for a class that is read asynchronously."""
    patches.wrap(f"{target}.__init__", _made)
    patches.wrap(f"{target}.__aiter__", _loop(_async_told))


class _AsyncTold:
    """Reads a loop over a helper, and tells when it is left."""

    def __init__(self, items: Any, held: Held) -> None:
        self._items = items
        self._held = held

    def read(self) -> Any:
        """The next item."""
        return self._items.__anext__()

    def leave(self, task: Task = None) -> None:
        """The loop was left, and `task` had read it."""
        self._held.left(task)


def _told(items: Any, held: Held) -> Generator[Any, None, None]:
    for item in items:
        try:
            yield item
        except BaseException:  # The loop was left: this generator is being closed.
            held.left()
            raise


def _async_told(items: Any, held: Held) -> AsyncLoop:
    return AsyncLoop(_AsyncTold(items, held))


def _held_by(helper: Any) -> Held | None:
    with guard("reading a stream helper"):
        held = vars(helper._raw_stream).get("_iterator")
        if isinstance(held, TracedIterator | TracedAsyncIterator):
            return held
    return None


def _made(wrapped: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    held = _held_by(args[0])
    if held is not None:
        held.beneath = True


def _loop(told: Callable[[Any, Held], Any]) -> Wrapper:
    """Hooks the beginning of a loop; `told` makes the loop that tells when it is left."""

    def loop(wrapped: Any, args: Any, kwargs: Any) -> Any:
        held = _held_by(args[0])
        items = wrapped(*args, **kwargs)
        if held is None:
            return items
        held.recorder.resume()
        return told(items, held)

    return loop
