"""aiohttp's `StreamReader` with somebody watching what the event loop puts in.

The object stays the one it is; only its class becomes one of ours, derived from its own. It has
slots and no room for more, so what watches it stands beside it.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from otel_stream.errors import guard
from otel_stream.http.watched import Watched

__all__ = ["tap_reader"]

_CLOSED = "Connection closed"

_watching: dict[int, _Watching] = {}
"""By the id of the reader, which takes its entry with it."""


class _Watching:
    """What is known of one reader."""

    __slots__ = ("interrupted", "started", "watched")

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.started = watched.asks()
        self.interrupted: BaseException | None = None
        """What has ended the application's last wait. It may wait again, and often does."""

    def fed(self, data: Any) -> None:
        """The event loop got bytes."""
        watched = self.watched
        if not watched.over:
            self.interrupted = None
            watched.arrived(bytes(data), self.started)
            self.started = watched.asks()

    def failed(self, error: BaseException) -> None:
        """No more bytes will come, or the application wants none."""
        if not _is_close(error):
            self.watched.failed(error, self.started)
        elif self.interrupted is not None:
            self.watched.failed(self.interrupted, self.started)
        else:
            self.watched.left(closed=True)

    def dropped(self) -> None:
        """Nobody holds the reader any more."""
        if self.interrupted is not None:
            self.watched.failed(self.interrupted, self.started)
        else:
            self.watched.dropped()


def tap_reader(reader: Any, watched: Watched) -> None:
    """Watch `reader`, into which the first bytes, or all, may have come already."""
    watching = _Watching(watched)
    for data in list(getattr(reader, "_buffer", ())):
        watching.fed(data)
    if reader.is_eof():
        watched.finished(watching.started)
    elif reader.exception() is not None:
        watching.failed(reader.exception())
    else:
        _watching[id(reader)] = watching
        reader.__class__ = _kind(reader.__class__)


def _is_close(error: BaseException) -> bool:
    """Whether this is how aiohttp tells a reader that its response was closed or released."""
    return type(error).__name__ == "ClientConnectionError" and error.args == (_CLOSED,)


class _Tapped:
    """What the event loop calls, and where the application waits."""

    __slots__ = ()

    def feed_data(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        result = super().feed_data(data, *args, **kwargs)  # type: ignore[misc]
        with guard("watching a body"):
            _watching[id(self)].fed(data)
        return result

    def feed_eof(self) -> None:
        super().feed_eof()  # type: ignore[misc]
        with guard("watching the end of a body"):
            watching = _watching[id(self)]
            watching.watched.finished(watching.started)

    def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        super().set_exception(exc, *args, **kwargs)  # type: ignore[misc]
        with guard("watching the end of a body"):
            _watching[id(self)].failed(exc)

    async def _wait(self, func_name: str) -> None:
        watching = _watching[id(self)]
        watching.interrupted = None
        try:
            await super()._wait(func_name)  # type: ignore[misc]
        except (TimeoutError, asyncio.CancelledError) as error:
            watching.interrupted = error
            raise

    def __del__(self) -> None:
        watching = _watching.pop(id(self), None)
        if watching is not None:
            watching.dropped()


@cache
def _kind(kind: type[Any]) -> type[Any]:
    """A class derived from `kind` that looks like it."""
    looks = {"__slots__": (), "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (_Tapped, kind), looks)
