"""The tap on a body that is read synchronously."""

from __future__ import annotations

import gc
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.body import tap_body
from otel_stream.outcome import Outcome
from otel_stream.raw import RawReader
from otel_stream.record.limits import Limits
from otel_stream.record.recorder import Recorder

from .conftest import PIECES, WHOLE, Open, Reader

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

    def test_failure(self, opened: Open, heard: Any) -> None:
        """An exception of the body reaches the application as it is, and ends the stream."""
        reset = ConnectionResetError("reset")
        tapped = opened([PIECES[0], reset])
        with pytest.raises(ConnectionResetError) as raised:
            tapped.response.read()

        assert raised.value is reset
        assert (tapped.facts, heard.error) == ((Outcome.ERROR, 1, 5), reset)

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
