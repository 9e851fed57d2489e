"""A response's stream (httpx, httpx2) with somebody watching: passes every byte through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from functools import cache
from typing import Any

from otel_stream.http.reader import Reader
from otel_stream.http.watched import Watched

__all__ = ["tap_stream"]


def tap_stream(body: Any, watched: Watched) -> Any:
    """`body`, watched: of the same kind, with its attributes."""
    return _kind(body.__class__)(body, watched)


class _Tapped:
    """What the wrappers share: the body and who watches; everything else is the body's."""

    def __init__(self, body: Any, watched: Watched) -> None:
        self._body = body
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_body"], name)

    def __del__(self) -> None:
        watched = self.__dict__.get("_watched")
        if watched is not None:
            watched.dropped()


class _Sync(_Tapped):
    def __iter__(self) -> Iterator[bytes]:
        watched = self._watched
        source = iter(self._body)
        while True:
            started = watched.asks()
            token = watched.enter()
            try:
                data = next(source)
            except StopIteration:
                watched.finished(started)
                return
            except BaseException as error:
                watched.failed(error, started)
                raise
            finally:
                watched.leave(token)
            watched.arrived(data, started)
            try:
                yield data
            except BaseException:  # The loop was left: this generator is being closed.
                watched.left(closed=False)
                raise

    def close(self) -> None:
        self._watched.left(closed=True)
        self._body.close()


class _Async(_Tapped):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncBytes(self._body, self._watched)

    async def aclose(self) -> None:
        self._watched.left(closed=True)
        await self._body.aclose()


class _AsyncBytes:
    """An object and no generator, so that leaving it needs no help of the event loop.

    It has a generator's methods: httpx2 closes the iterator that it reads if it looks like one.
    """

    __slots__ = ("_reader", "_source", "_watched")

    def __init__(self, body: Any, watched: Watched) -> None:
        self._source = body.__aiter__()
        self._watched = watched
        # Generators of the library read us, and it is a task of the event loop's that closes those.
        self._reader = Reader()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

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

    def asend(self, value: Any) -> Coroutine[Any, Any, bytes]:
        """The next bytes: a body takes nothing."""
        return self.__anext__()

    async def athrow(self, error: Any, value: Any = None, traceback: Any = None) -> bytes:
        await self.aclose()
        raise error

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


@cache
def _kind(body: type[Any]) -> type[Any]:
    """A wrapper of the same kind as `body`, so that the library's checks of the kind still hold."""
    bases: list[type[Any]] = []
    for mixin, name in ((_Sync, "SyncByteStream"), (_Async, "AsyncByteStream")):
        kind = next((base for base in body.__mro__ if base.__name__ == name), None)
        if kind is not None:
            bases += [mixin, kind]
    return type("WatchedStream", tuple(bases), {})
