"""The parser of both wires: whatever is sent, wherever it is cut, whatever stands between."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import pytest

from otel_stream_agno_http.event import WireEvent
from otel_stream_agno_http.wire import WireParser

from .streams import ODD, WIRES, Event, agent, cut, joke, lines, objects, server_sent

pytestmark = pytest.mark.sdk_matrix  # msgspec and the HTTP libraries count too

Told = list[tuple[object, object]]


def told(events: Iterable[WireEvent]) -> Told:
    """Name and content of each event, names as in 2.x."""
    return [(str(e.event).replace("RunResponse", "Run"), e.content) for e in events]


def wanted(events: Iterable[Event]) -> Told:
    return [(event["event"], event.get("content")) for event in events]


def read(pieces: Iterable[bytes], parser: WireParser | None = None) -> Told:
    """What a parser makes of these pieces."""
    parser = parser or WireParser()
    found = [event for piece in pieces for event in parser.feed(piece)]
    return told([*found, *parser.finish()])


@pytest.mark.parametrize("wire", WIRES)
def test_cut_at_every_byte(wire: str) -> None:
    """A body cut in two anywhere says the same: in letters, escapes, between braces."""
    body = b"".join(WIRES[wire](joke()))
    answers = {str(read([body[:at], body[at:]])) for at in range(len(body) + 1)}

    assert answers == {str(wanted(joke()))}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 4096])
@pytest.mark.parametrize("wire", WIRES)
def test_cut_in_pieces(wire: str, size: int) -> None:
    """A body in small pieces says the same, a byte at a time too."""
    body = b"".join(WIRES[wire](joke()))

    assert read(cut(body, range(0, len(body), size))) == wanted(joke())


@pytest.mark.parametrize("wire", WIRES)
def test_no_event_waits_for_the_next(wire: str) -> None:
    """An event is there with its last byte: with the brace, the line's end, or the blank line."""
    parser = WireParser()

    for event, piece in zip(joke(), WIRES[wire](joke()), strict=True):
        assert told(parser.feed(piece)) == wanted([event])


def test_the_brace_is_the_end_of_an_object() -> None:
    """Nothing need come after the last brace, however the object was cut."""
    [piece] = objects([agent.end("all")])
    parser = WireParser()

    assert parser.feed(piece[:-1]) == []
    assert told(parser.feed(b"}")) == [("RunCompleted", "all")]


def test_an_event_that_no_blank_line_ends() -> None:
    """The body's end ends the last event too, if it is whole."""
    pieces = server_sent(joke())
    whole = pieces[-1].rstrip(b"\n")

    assert read([*pieces[:-1], whole]) == wanted(joke())
    assert read([*pieces[:-1], whole[:-1]]) == wanted(joke())[:-1]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_ends_of_lines(ends: str) -> None:
    """Server-sent events may end their lines in three ways, cut between CR and LF too."""
    body = b"".join(server_sent(joke())).replace(b"\n", ends.encode())

    assert read(cut(body, range(0, len(body), 1))) == wanted(joke())
    assert read([body]) == wanted(joke())


def test_what_else_server_sent_events_hold() -> None:
    """Comments, ids, retries, a name outside the data, and data over several lines."""
    spread = 'data: {"event":\ndata: "RunContent", "content": "a"}\n\n'
    named = 'event: RunContent\ndata: {"content": "b"}\n\n'
    extra = f": ping\n\nid: 1\nretry: 10\n{spread}{named}"

    assert read([extra.encode()]) == [("RunContent", "a"), ("RunContent", "b")]


@pytest.mark.parametrize("data", ["{}", '{"event":"ping"}', "2026-11-21"])
def test_pings(data: str) -> None:
    """A ping is no event, whatever it brings."""
    ping = f"event: ping\ndata: {data}\n\n".encode()
    pieces = server_sent(joke())

    assert read([ping, pieces[0], ping, *pieces[1:]]) == wanted(joke())
    assert read([b"".join([ping, pieces[0], ping, *pieces[1:]])]) == wanted(joke())


def test_data_without_blank_lines() -> None:
    """Some servers put no blank line between their events."""
    body = b"".join(b"data: " + line for line in lines(joke()))

    assert read([body]) == wanted(joke())


@pytest.mark.parametrize("wire", WIRES)
def test_the_end_mark(wire: str) -> None:
    """`[DONE]` is no event, and is known."""
    mark = b"[DONE]" if wire == "objects" else b"data: [DONE]\n\n"
    body = b"".join(WIRES[wire](joke())) + mark
    for size in (1, 7, 10_000):
        parser = WireParser()

        assert read(cut(body, range(0, len(body), size)), parser) == wanted(joke())
        assert parser.done


GARBAGE = [
    "{", "}", "}{", '"', '{"', "{ hello }", '{"a": ', '{"a": [', "[1, 2", "\\", "{{", "null,",
    "{}", '{"event"', "{'event': 1}", '{"a": 01}', "Internal Server Error", "data", "�",
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_between_objects(garbage: str, size: int) -> None:
    """A stray brace or quote, half an object, a proxy's words: nothing of what follows is lost."""
    pieces = objects(joke())
    mixed = [part for piece in pieces for part in (garbage.encode(), piece)]
    body = b"".join(mixed)

    assert read(cut(body, range(0, len(body), size))) == wanted(joke())


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_between_server_sent_events(garbage: str, size: int) -> None:
    """A line that is none of theirs, with data that is no JSON: it is passed over."""
    pieces = server_sent(joke())
    mixed = [f"data: {garbage}\n\n{garbage}\n".encode() + piece for piece in pieces]
    body = b"".join(mixed)

    assert read(cut(body, range(0, len(body), size))) == wanted(joke())


def test_what_python_writes() -> None:
    """NaN and half an emoji are no JSON, and are sent; so are bytes that are no text."""
    body = json.dumps({"event": "RunContent", "content": "\ud83d", "x": float("nan")}).encode()
    broken = b'{"event": "RunContent", "content": "\xff\xc3"}'

    assert read([body, broken]) == [("RunContent", "\ud83d"), ("RunContent", "��")]


@pytest.mark.parametrize("wire", WIRES)
def test_an_event_that_is_too_long(wire: str) -> None:
    """It is dropped whole and counted, and what follows is read."""
    long = agent.says("x" * 5_000)[1]
    body = b"".join(WIRES[wire]([*joke(), long, *joke()]))
    for size in (1, 100, 1_000_000):
        parser = WireParser(limit=2_000)

        assert read(cut(body, range(0, len(body), size)), parser) == wanted([*joke(), *joke()])
        assert parser.dropped == 1


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"\xef\xbb\xbf", b"dat", b"{", b"nothing", b"\xff" * 9]
)
def test_bodies_that_say_nothing(data: bytes) -> None:
    """A body of nothing, or of nothing that is known, has no events."""
    assert read([data]) == []


@pytest.mark.parametrize("begin", ["\ufeff", "\n\n", "warning: slow\n", "\ufeffOh:\r\n \n"])
@pytest.mark.parametrize("wire", WIRES)
def test_what_stands_in_front(wire: str, begin: str) -> None:
    """A byte order mark, blank lines or a line of words before the first event change nothing."""
    body = begin.encode() + b"".join(WIRES[wire](joke()))

    assert read([body]) == wanted(joke())
    assert read(cut(body, range(len(body)))) == wanted(joke())


UNENDING = {
    "brackets": b'{"a":' * 40_000,
    "braces": b"{" * 200_000,
    "strings": b'{"' * 100_000,
    "space": b'{"a":' + b" " * 200_000 + b"{",
    "bits": b'{"event":"a"}x' * 14_000,
}


@pytest.mark.parametrize("kind", UNENDING)
def test_no_input_is_slow(kind: str) -> None:
    """What is made to be read again and again is read a bounded number of times."""
    body = UNENDING[kind]
    begun = time.process_time()
    read(cut(body, range(0, len(body), 100)))
    read([body])

    assert time.process_time() - begun < 10  # quadratic, it would be minutes


def test_text_is_kept_as_it_is() -> None:
    """The joined deltas are the text that was said."""
    for wire in WIRES.values():
        found = [content for name, content in read(wire(joke())) if name == "RunContent"]

        assert found == ["", *ODD]
