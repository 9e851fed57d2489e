"""What an application holds of one open call, and what it may do with it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["Opened", "bytes_of", "final_of", "lines_of", "texts_of"]

Items = Callable[[Any], Any]
"""What is read of a stream: an iterable, or an async one."""


class Opened:
    """An open call. It holds the only references to what the SDK handed out.

    Args:
        stream: What is read.
        items: What of it is read; by default the stream itself.
        manager: What a `with` block is entered with; by default the stream.
        handed_out: What the SDK's method returned, where that is something else again.
    """

    def __init__(
        self,
        stream: Any,
        items: Items = lambda stream: stream,
        *,
        manager: Any = None,
        handed_out: Any = None,
    ) -> None:
        self.stream = stream
        self.handed_out = handed_out
        self._items = items
        self._manager = manager

    @property
    def items(self) -> Any:
        """What is read."""
        return self._items(self.stream)

    @property
    def response(self) -> Any:
        """The HTTP response."""
        for holder in (self.stream, self.handed_out):
            for name in ("http_response", "response", "_response"):
                if hasattr(holder, name):
                    return getattr(holder, name)
        return self.stream

    def close(self) -> Any:
        """Close the stream. An async one is to be awaited."""
        return _closed(self.stream)

    def close_response(self) -> Any:
        """Close the HTTP response. An async one is to be awaited."""
        return _closed(self.response)

    def __enter__(self) -> Opened:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        holder = self._manager or self.stream
        if hasattr(holder, "__exit__"):
            holder.__exit__(kind, error, traceback)
        else:
            holder.close()

    async def __aenter__(self) -> Opened:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        holder = self._manager or self.stream
        if hasattr(holder, "__aexit__"):
            await holder.__aexit__(kind, error, traceback)
        else:
            await _closed(holder)


def _closed(holder: Any) -> Any:
    return _of(holder, "close")()


def _of(holder: Any, name: str) -> Any:
    """The method *name* of *holder*. An HTTP response has an async twin of each, with an `a`."""
    is_async_response = hasattr(getattr(holder, "stream", None), "__aiter__")
    return getattr(holder, f"a{name}" if is_async_response else name)


def texts_of(stream: Any) -> Any:
    """The texts of a helper's stream."""
    return stream.text_stream


def lines_of(response: Any) -> Any:
    """The lines of a response."""
    return _of(response, "iter_lines")()


def bytes_of(response: Any) -> Any:
    """The bytes of a response, as they come."""
    return _of(response, "iter_bytes")()


def final_of(name: str) -> Items:
    """The whole answer, asked for with the helper's method *name*, as the only item."""

    def items(stream: Any) -> Any:
        method = getattr(stream, name)
        return _awaited(method) if hasattr(stream, "__anext__") else _called(method)

    return items


def _called(method: Callable[[], Any]) -> Any:
    yield method()


async def _awaited(method: Callable[[], Any]) -> Any:
    yield await method()
