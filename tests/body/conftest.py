"""A response over a scripted body, tapped."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import pytest

from otel_stream.body import BodyTap, tap_body
from otel_stream.delta import Found, Terminal
from otel_stream.outcome import Outcome
from otel_stream.raw import RawReader
from otel_stream.record.limits import Limits
from otel_stream.record.recorder import Recorder
from otel_stream.watcher import watcher

PIECES = [b'data: {"text": "Hello"}\n\nda', b'ta: {"text": " you"}\n\n', b'data: {"end": 1}\n\n']
WHOLE = (Outcome.COMPLETED, 3, 9)


class Reader:
    """Reads the events of `PIECES`."""

    def read(self, event: Any) -> Found:
        return Terminal() if event.end else event.text

    def whole(self, done: bool) -> bool:
        return done

    def failure(self, error: BaseException) -> None:
        return None


class Source:
    """A body of these pieces, of which the last may be an exception."""

    def __init__(self, pieces: Iterable[bytes | BaseException]) -> None:
        self.pieces = list(pieces)
        self.closed = False

    def _next(self, piece: bytes | BaseException) -> bytes:
        if isinstance(piece, BaseException):
            raise piece
        return piece

    def __iter__(self) -> Iterator[bytes]:
        return (self._next(piece) for piece in self.pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield self._next(piece)

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Tapped:
    """A response over a `Source`, and its recorder."""

    def __init__(self, http: Any, heard: Any, source: Source, kind: str, encoding: str) -> None:
        base = getattr(http, f"{kind}ByteStream")
        stream = type("Stream", (Source, base), {})(source.pieces)
        headers = {"content-type": "text/event-stream"}
        headers |= {"content-encoding": encoding} if encoding else {}
        self.source = stream
        self.response = http.Response(200, headers=headers, stream=stream)
        self.recorder = Recorder(Reader(), heard, limits=Limits())
        watcher.add(self.recorder)

        def reader() -> RawReader:
            return RawReader("text/event-stream", encoding, lambda _: None)

        self.tap: BodyTap = tap_body(self.response, self.recorder, reader)

    @property
    def facts(self) -> tuple[Any, ...]:
        """What was recorded."""
        return self.recorder.outcome, self.recorder.chunks, self.recorder.size


Open = Callable[..., Tapped]


@pytest.fixture(params=["httpx", "httpx2"])
def http(request: pytest.FixtureRequest) -> Any:
    """The HTTP library of the SDKs: the old ones' and the new ones'."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return importlib.import_module(request.param)


@pytest.fixture
def opened(http: Any, heard: Any) -> Open:
    """Opens a sync or an async response."""

    def make(pieces: Iterable[Any] = PIECES, kind: str = "Sync", encoding: str = "") -> Tapped:
        return Tapped(http, heard, Source(pieces), kind, encoding)

    return make
