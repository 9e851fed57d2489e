"""A tap on a response's body: every byte passes; reading, leaving, closing, dropping is seen."""

from __future__ import annotations

import asyncio
import gc
import gzip
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


READS: dict[str, Callable[[Any], bytes]] = {
    "iter_raw": lambda response: b"".join(response.iter_raw()),
    "iter_bytes": lambda response: b"".join(response.iter_bytes()),
    "iter_text": lambda response: "".join(response.iter_text()).encode(),
    "read": lambda response: response.read(),
    "lines": lambda response: "\n".join(response.iter_lines()).encode() + b"\n",
    "sized": lambda response: b"".join(response.iter_bytes(3)),
}


class TestSync:
    @pytest.mark.parametrize("how", READS)
    def test_bytes_are_untouched(self, how: str, opened: Open) -> None:
        """Whatever way the application reads, it gets every byte, and each event is a chunk."""
        tapped = opened()

        assert READS[how](tapped.response) == b"".join(PIECES)
        assert tapped.facts == WHOLE

    def test_compressed(self, opened: Open) -> None:
        """Raw reads of a compressed body give the compressed bytes, and it is read all the same."""
        data = gzip.compress(b"".join(PIECES))
        tapped = opened([data[:20], data[20:]], encoding="gzip")

        assert b"".join(tapped.response.iter_raw()) == data
        assert tapped.facts == WHOLE

    def test_closed_unread(self, opened: Open) -> None:
        """A close without a read is closed early, and reaches the body."""
        tapped = opened()
        tapped.response.close()

        assert tapped.facts == (Outcome.CLOSED_EARLY, 0, 0)
        assert tapped.source.closed

    def test_closed_while_read(self, opened: Open) -> None:
        """So is a close in the middle of a loop."""
        tapped = opened()
        for _ in tapped.response.iter_bytes():
            tapped.response.close()
            break

        assert tapped.facts == (Outcome.CLOSED_EARLY, 1, 5)

    def test_left_and_dropped(self, opened: Open, eventually: Any) -> None:
        """A loop that is left for good is closed early, though nobody closes."""
        tapped = opened()
        for _ in tapped.response.iter_raw():
            break
        del tapped.response
        gc.collect()

        assert eventually(lambda: tapped.recorder.ended)
        assert tapped.facts == (Outcome.CLOSED_EARLY, 1, 5)

    def test_dropped_unread(self, opened: Open, eventually: Any) -> None:
        """A response that is forgotten is abandoned."""
        tapped = opened()
        del tapped.response
        gc.collect()

        assert eventually(lambda: tapped.recorder.ended)
        assert tapped.facts == (Outcome.ABANDONED, 0, 0)

    def test_failure(self, opened: Open) -> None:
        """An exception of the body reaches the application as it is, and ends the stream."""
        reset = ConnectionResetError("reset")
        tapped = opened([PIECES[0], reset])
        with pytest.raises(ConnectionResetError) as raised:
            tapped.response.read()

        assert raised.value is reset
        assert (tapped.facts, tapped.recorder.error) == ((Outcome.ERROR, 1, 5), reset)

    def test_cut_off(self, opened: Open) -> None:
        """A body that ends early without an exception is truncated."""
        tapped = opened(PIECES[:2])
        tapped.response.read()

        assert tapped.facts == (Outcome.TRUNCATED, 2, 9)

    def test_kind(self, opened: Open, http: Any) -> None:
        """The body still is what the library checks for, and its attributes are there."""
        tapped = opened()
        stream = tapped.response.stream
        tapped.response.close()

        assert isinstance(stream, http.SyncByteStream)
        assert not isinstance(stream, http.AsyncByteStream)
        assert stream.pieces == PIECES

    def test_body_of_both_kinds(self, http: Any, heard: Any) -> None:
        """A body that was read already serves sync and async reads, and so does the tap."""
        response = http.Response(200, content=b"".join(PIECES))
        recorder = Recorder(Reader(), heard, limits=Limits())
        tap_body(response, recorder, lambda: RawReader("text/event-stream", "", lambda _: None))

        assert isinstance(response.stream, http.SyncByteStream)
        assert isinstance(response.stream, http.AsyncByteStream)
        assert b"".join(response.stream) == b"".join(PIECES)
        assert recorder.chunks == 3

    def test_read_by_the_sdk(self, opened: Open) -> None:
        """Bytes that the SDK reads for its own iterator are looked at for the end mark only."""
        tapped = opened([b"data: {}\n\n", b"data: [DONE]\n\n"])
        tapped.recorder.reading_since = tapped.recorder.clock()
        list(tapped.response.stream)

        assert (tapped.recorder.chunks, tapped.tap.done()) == (0, True)
        tapped.recorder.close()

    @pytest.mark.parametrize(
        ("end", "done"), [(b"data: [DO", False), (b"data: [DONE]", True), (b"[DONE]\n\n", True)]
    )
    def test_end_mark(self, end: bytes, done: bool, opened: Open) -> None:
        """The end mark is found however it is cut; at a clean end without it, it was not there."""
        tapped = opened([b"data: {}\n\n", *(bytes([byte]) for byte in end)])
        tapped.recorder.reading_since = tapped.recorder.clock()
        list(tapped.response.stream)
        tapped.recorder.close()

        assert tapped.tap.done() is done


AREADS: dict[str, Callable[[Any], Any]] = {
    "aiter_raw": lambda response: response.aiter_raw(),
    "aiter_bytes": lambda response: response.aiter_bytes(),
    "sized": lambda response: response.aiter_bytes(3),
}


class TestAsync:
    @pytest.mark.parametrize("how", AREADS)
    async def test_bytes_are_untouched(self, how: str, opened: Open) -> None:
        """An async body passes as a sync one does."""
        tapped = opened(kind="Async")
        data = b"".join([piece async for piece in AREADS[how](tapped.response)])

        assert (data, tapped.facts) == (b"".join(PIECES), WHOLE)

    async def test_read_whole(self, opened: Open) -> None:
        """Also read at once."""
        tapped = opened(kind="Async")

        assert await tapped.response.aread() == b"".join(PIECES)
        assert (tapped.facts, tapped.source.closed) == (WHOLE, True)

    async def test_closed_unread(self, opened: Open) -> None:
        """A close without a read is closed early, and reaches the body."""
        tapped = opened(kind="Async")
        await tapped.response.aclose()

        assert (tapped.facts, tapped.source.closed) == ((Outcome.CLOSED_EARLY, 0, 0), True)

    async def test_cancelled(self, opened: Open) -> None:
        """A task that is cancelled while it waits cancels the stream."""
        tapped = opened([PIECES[0], asyncio.CancelledError()], kind="Async")
        with pytest.raises(asyncio.CancelledError):
            await tapped.response.aread()

        assert tapped.facts == (Outcome.CANCELLED, 1, 5)

    async def test_left_and_dropped(self, opened: Open, eventually: Any) -> None:
        """A loop that is left for good is closed early."""
        tapped = opened(kind="Async")
        lines = tapped.response.aiter_raw()
        async for _ in lines:
            break
        await lines.aclose()
        del tapped.response, lines
        gc.collect()

        assert eventually(lambda: tapped.recorder.ended)
        assert tapped.facts == (Outcome.CLOSED_EARLY, 1, 5)
