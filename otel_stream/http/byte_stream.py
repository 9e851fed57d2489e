"""A response's stream (httpx, httpx2) with somebody watching: passes every byte through."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from functools import cache
from time import perf_counter
from typing import Any

from otel_stream.http.reader import Reader
from otel_stream.http.watched import Watched, watched_reads
from otel_stream.tapped import TappedBody, TappedBytes, of_its_kind

__all__ = ["tap_stream"]


def tap_stream(body: Any, watched: Watched) -> Any:
    """`body`, watched: of the same kind, with its attributes."""
    return _kind(body.__class__)(body, watched)


class _Tapped(TappedBody):
    """What both kinds share: the body and who watches."""

    def __init__(self, body: Any, watched: Watched) -> None:
        super().__init__(body)
        self._watched = watched

    def __del__(self) -> None:
        watched = self.__dict__.get("_watched")
        if watched is not None:
            watched.dropped()


class _Sync(_Tapped):
    def __iter__(self) -> Iterator[bytes]:
        yield from watched_reads(self._watched, iter(self._body))

    def close(self) -> None:
        _closed(self._watched)
        self._body.close()


class _Async(_Tapped):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncBytes(self._body, self._watched)

    async def aclose(self) -> None:
        _closed(self._watched)
        await self._body.aclose()


class _AsyncBytes(TappedBytes):
    """The bytes of an async body, one read after the other."""

    __slots__ = ("_reader", "_source", "_watched")

    def __init__(self, body: Any, watched: Watched) -> None:
        self._source = body.__aiter__()
        self._watched = watched
        # Generators of the library read us, and it is a task of the event loop's that closes those.
        self._reader = Reader()

    async def __anext__(self) -> bytes:
        watched = self._watched
        started = watched.asks()
        token = watched.enter()
        try:
            data: bytes = await self._source.__anext__()
        except StopAsyncIteration:
            watched.finished(started)
            raise
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                token = None  # Whoever closes us need not run in the context that we have changed.
            watched.failed(error, started)
            raise
        finally:
            watched.leave(token)
        watched.arrived(data, started)
        return data

    async def aclose(self) -> None:
        """Leave the loop, and close the body's own iterator too."""
        self._leave()
        if hasattr(self._source, "aclose"):
            await self._source.aclose()

    def _leave(self) -> None:
        self._watched.left(closed=False, task=self._reader)
        self._reader.forget()

    def __del__(self) -> None:
        self._leave()


def _closed(watched: Watched) -> None:
    """The body is closed; by the library if it could not decode what it had read."""
    error = sys.exc_info()[1]
    if error is not None and type(error).__name__ == "DecodingError":
        watched.failed(error, perf_counter())
    else:
        watched.left(closed=True)


@cache
def _kind(body: type[Any]) -> type[Any]:
    return of_its_kind(body, _Sync, _Async)
