"""An answer that the application reads as bytes: the same facts as of one read through the SDK."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.delta import Finish, Found, Skip, Terminal, Usage
from otel_stream.outcome import Outcome
from otel_stream.raw import Fields, RawReader, decoded
from otel_stream.record.limits import Limits
from otel_stream.record.recorder import Recorder
from otel_stream.testing import ScriptedClock

SSE = "text/event-stream; charset=utf-8"


class Events:
    """Reads events of a small API: `text`, `ping`, `stop`."""

    def read(self, event: Any) -> Found:
        if event.type == "ping":
            return Skip()
        return [Finish("stop"), Terminal()] if event.type == "stop" else event.text

    def whole(self, done: bool) -> bool:
        return done

    def failure(self, error: BaseException) -> None:
        return None


class Body:
    """A body that is read raw, by a scripted clock."""

    def __init__(
        self, heard: Any, clock: ScriptedClock, kind: str = SSE, encoding: str = ""
    ) -> None:
        self.recorder = Recorder(Events(), heard, limits=Limits(), clock=clock)
        self.answers: list[Any] = []
        self.raw = RawReader(kind, encoding, self.answers.append)
        self._clock = clock

    def data(self, data: bytes, wait: float = 0.1, body: float = 0.0) -> None:
        """*data* comes after *wait* seconds, and is looked at for *body* seconds."""
        started = self._clock()
        self.raw.asks(self.recorder, started)
        self._clock.advance(wait)
        self.raw.feed(self.recorder, data, started)
        self._clock.advance(body)

    def finish(self, wait: float = 0.1) -> None:
        """The body ends."""
        started = self._clock()
        self.raw.asks(self.recorder, started)
        self.raw.finish(self.recorder, started, self._clock.advance(wait))


@pytest.fixture
def body(heard: Any, clock: ScriptedClock) -> Callable[..., Body]:
    """Makes a body."""
    return lambda *args: Body(heard, clock, *args)


def event(kind: str, **fields: Any) -> bytes:
    """An event on the wire."""
    return b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


TEXTS = [event("text", text="Hello"), event("text", text=" you"), event("stop")]


def facts(body: Body) -> tuple[Any, ...]:
    """What is known of a body's stream."""
    recorder = body.recorder
    return recorder.outcome, recorder.chunks, recorder.size, recorder.tally.finish_reasons


WHOLE = (Outcome.COMPLETED, 3, 9, {0: "stop"})


def test_events(body: Callable[..., Body]) -> None:
    """Events are chunks, as through the SDK."""
    one = body()
    for data in TEXTS:
        one.data(data)
    one.finish()

    assert facts(one) == WHOLE


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_cut_anywhere(size: int, body: Callable[..., Body]) -> None:
    """The cuts of the network do not show."""
    one, whole = body(), b"".join(TEXTS)
    for start in range(0, len(whole), size):
        one.data(whole[start : start + size])
    one.finish()

    assert facts(one) == WHOLE


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("GZIP ", gzip.compress), ("deflate", zlib.compress)],
)
def test_compressed(encoding: str, encode: Callable[[bytes], bytes], body: Any) -> None:
    """Raw reads of a compressed answer are read too."""
    one, whole = body(SSE, encoding), encode(b"".join(TEXTS))
    for start in range(0, len(whole), 10):
        one.data(whole[start : start + 10])
    one.finish()

    assert facts(one) == WHOLE


@pytest.mark.parametrize(("encoding", "data"), [("br", b"\x8b\x02\x80"), ("gzip", b"no gzip")])
def test_unreadable(encoding: str, data: bytes, body: Callable[..., Body]) -> None:
    """Of an answer in an encoding that we cannot read nobody says that it was cut off."""
    one = body(SSE, encoding)
    one.data(data)
    one.data(data)
    one.finish()

    assert facts(one) == (Outcome.COMPLETED, 0, 0, {})


def test_gap_is_the_whole_wait(body: Callable[..., Body]) -> None:
    """The wait for a chunk is that of all reads since the one before, but not the time between."""
    one = body()
    one.data(TEXTS[0], wait=1.0, body=10.0)
    one.data(b": a comment\n", wait=0.5, body=20.0)
    one.data(TEXTS[1][:9], wait=0.25, body=30.0)
    one.data(TEXTS[1][9:], wait=0.125)

    assert list(one.recorder.gaps.batch) == [pytest.approx(0.875)]
    assert one.recorder.provider_wait == pytest.approx(1.875)
    assert one.recorder.consumer_time == pytest.approx(60.0)


def test_many_events_in_one_read(body: Callable[..., Body]) -> None:
    """The first event of a read has waited, those that came with it have not."""
    one = body()
    one.data(TEXTS[0], wait=1.0)
    one.data(event("ping") + TEXTS[1] + TEXTS[2], wait=0.5)

    assert list(one.recorder.gaps.batch) == [0.5, 0.0]


def test_pings(body: Callable[..., Body]) -> None:
    """A ping is no chunk, and the silence goes on behind it."""
    one = body()
    one.data(TEXTS[0])
    one.data(event("ping"), wait=1.5)
    one.data(event("ping"), wait=1.5)
    one.data(TEXTS[1], wait=0.25)

    assert one.recorder.chunks == 2
    assert list(one.recorder.gaps.batch) == [3.25]
    assert (one.recorder.stalls.count, one.recorder.stalls.time) == (1, 3.25)


def test_stall_noted_while_it_lasts(heard: Any) -> None:
    """A stall that the watcher has noted is not counted again, whatever floats round to."""
    for start in (100.1, 123.456, 1e6 + 0.1):
        clock = ScriptedClock(start)
        one = Body(heard, clock)
        one.data(TEXTS[0])
        one.raw.asks(one.recorder, started := clock.advance(0.1))
        one.recorder.check(clock.advance(2.3))
        clock.advance(0.7)
        one.raw.feed(one.recorder, TEXTS[1], started)

        assert one.recorder.stalls.count == 1


def test_end_of_the_body(body: Callable[..., Body]) -> None:
    """A body that ends without its terminal event is truncated; waits without events count."""
    one = body()
    one.data(TEXTS[0], wait=1.0)
    one.data(b"data: {", wait=1.0)
    one.finish(wait=1.0)

    assert facts(one)[0] is Outcome.TRUNCATED
    assert one.recorder.provider_wait == 3.0


@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b"data: [DONE]\n", b"data: [DONE]"])
def test_done(end: bytes, body: Callable[..., Body]) -> None:
    """`[DONE]` is the wire's own end, also where nothing ends its line; it is no chunk."""
    one = body()
    one.data(TEXTS[0])
    one.data(end)
    one.finish()

    assert facts(one)[:2] == (Outcome.COMPLETED, 1)


def test_closed_after_done(body: Callable[..., Body]) -> None:
    """Whoever closes after `[DONE]` closes a whole answer."""
    one = body()
    one.data(TEXTS[0])
    one.data(b"data: [DONE]\n\n")
    one.recorder.close()

    assert facts(one)[0] is Outcome.COMPLETED


def test_after_the_end(body: Callable[..., Body]) -> None:
    """What comes after the end passes unread."""
    one = body()
    one.data(TEXTS[0])
    one.recorder.close()
    before = (one.recorder.consumer_time, one.recorder.last_chunk_at)
    one.data(TEXTS[1], body=5.0)
    one.finish()

    assert facts(one)[:3] == (Outcome.CLOSED_EARLY, 1, 5)
    assert (one.recorder.consumer_time, one.recorder.last_chunk_at) == before


@pytest.mark.parametrize("data", ["no JSON", "[1]", "5", "[" * 100_000])
def test_other_data(data: str, body: Callable[..., Body]) -> None:
    """Data that is no object is passed by."""
    one = body()
    one.data(f"data: {data}\n\n".encode())
    one.data(TEXTS[0])

    assert one.recorder.chunks == 1


def test_name_of_the_event(body: Callable[..., Body]) -> None:
    """Where the data has no type, the event's name is it."""
    one = body()
    one.data(b'event: stop\ndata: {"a": 1}\n\n')

    assert one.recorder.tally.terminal


def test_json(body: Callable[..., Body]) -> None:
    """A JSON answer is handed over whole, and is completed."""
    one = body("application/json")
    one.data(b'{"a": {"b"', wait=1.0)
    one.data(b": 1}}", wait=1.0)
    one.finish()

    assert one.answers == [{"a": {"b": 1}}]
    assert (one.recorder.outcome, one.recorder.chunks) == (Outcome.COMPLETED, 0)
    assert one.recorder.provider_wait == pytest.approx(2.1)


def test_large_json(body: Callable[..., Body]) -> None:
    """A JSON answer beyond 16 MiB is not kept."""
    one = body("application/json")
    for _ in range(17):
        one.data(b" " * 1024 * 1024)
    one.finish()

    assert (one.answers, one.raw._body) == ([], [])


def test_no_json(body: Callable[..., Body]) -> None:
    """An HTML page, or nothing, is no answer and no fault."""
    one = body("text/html")
    one.data(b"<html>")
    one.finish()

    assert one.answers == []


def test_fields() -> None:
    """Objects read like a model: a missing field is None, a special name does not exist."""
    fields = decoded('{"a": {"b": [{"c": 1}]}}')

    assert fields.a.b[0].c == 1
    assert (fields.missing, fields.a.missing) == (None, None)
    assert not hasattr(fields, "__pydantic_extra__")
    assert isinstance(fields, Fields)


def test_usage_is_read(heard: Any, clock: ScriptedClock) -> None:
    """Whatever the reader finds in an event counts."""
    one = Body(heard, clock)
    one.data(event("text", text="a"))
    one.recorder.tally.add(one.recorder, Usage(1, 2), clock())

    assert heard.told[-1] == ("usage", Usage(1, 2))
