"""The incremental parser of server-sent events, against the rules of the WHATWG HTML standard."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream.sse import ServerSentEvent, SSEParser


def parse(*pieces: bytes, limit: int = 8 * 1024 * 1024) -> list[tuple[str, str]]:
    """The events of a body that arrives in *pieces*."""
    parser = SSEParser(limit)
    return [tuple(event) for piece in pieces for event in parser.feed(piece)]


def by_the_standard(body: bytes) -> list[tuple[str, str]]:
    """What section 9.2.6 says of a whole body, written down word by word."""
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    found: list[tuple[str, str]] = []
    kind, data = "", ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and data:
            found.append((kind, data.removesuffix("\n")))
        if not line:
            kind, data = "", ""
        elif name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
    return found


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """*body* in pieces that end at *places*."""
    ends = sorted(place % (len(body) + 1) for place in places)
    return [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]


PIECES = (
    [b"data", b"event", b"id", b"retry", b"x", b":", b": ", b" ", b"\n", b"\r", b"\r\n", b"\n\n"],
    ["\ufeff".encode(), "é".encode(), "🐑".encode(), b"\xff", b"\x00", b"data: {}\n\n", b"\r\r"],
)
ALPHABET = st.sampled_from([*PIECES[0], *PIECES[1]])
BODIES = st.lists(ALPHABET, max_size=40).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b"data: a\n\n", [("", "a")]),
        (b"data:a\n\n", [("", "a")]),
        (b"data:  a\n\n", [("", " a")]),
        (b"data: a\r\rdata: b\r\n\r\n", [("", "a"), ("", "b")]),
        (b"data: a\r\n\r\n", [("", "a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("", "a")]),
        (b"data: a\ndata: b\n\n", [("", "a\nb")]),
        (b"data: a\ndata\ndata:\n\n", [("", "a\n\n")]),
        (b"data\n\n", [("", "")]),
        (b": a comment\ndata: a\n\n:\n\n", [("", "a")]),
        (b"event: ping\ndata: {}\n\n", [("ping", "{}")]),
        (b"event: a\n\ndata: b\n\n", [("", "b")]),
        (b"event: a\nevent: b\ndata: c\n\n", [("b", "c")]),
        (b"id: 1\nretry: 5\ndata: a\nother: b\n\n", [("", "a")]),
        (b"Data: a\n data: b\n\n", []),
        (b"data: never ended\n", []),
        (b"\n\n\n", []),
        (b"data: \xff\n\n", [("", "\ufffd")]),
    ],
)
def test_rules(body: bytes, want: list[tuple[str, str]]) -> None:
    """Each rule of the standard by an example."""
    assert parse(body) == want


@given(BODIES)
def test_whole_bodies(body: bytes) -> None:
    """Any body gives the events that the standard's algorithm gives."""
    want = [(kind, data) for kind, data in by_the_standard(body)]

    assert parse(body) == want


@given(BODIES, CUTS)
def test_any_cut(body: bytes, places: list[int]) -> None:
    """Where the network cuts a body changes nothing, also inside a character or a CRLF."""
    assert parse(*cut(body, places)) == parse(body)


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_never_raises(pieces: list[bytes]) -> None:
    """Whatever bytes come, nothing is raised, and what comes out is text."""
    for kind, data in parse(*pieces):
        (kind + data).encode()


def test_nothing_between_the_halves_of_a_line_end() -> None:
    """An empty piece between CR and LF does not make two line ends of one."""
    assert parse(b"data: a\r", b"", b"\n\r\n") == [("", "a")]
    assert parse(b"data: a\r", b"", b"\ndata: b\n\n") == [("", "a\nb")]


def test_single_bytes() -> None:
    """A body may come byte by byte."""
    body = "event: a\r\ndata: é🐑\r\n\r\n".encode()

    assert parse(*(bytes([byte]) for byte in body)) == [("a", "é🐑")]


@pytest.mark.parametrize(("end", "want"), [(b"", b"data: [DONE]"), (b"\n", b"[DONE]\n")])
def test_unfinished(end: bytes, want: bytes) -> None:
    """What has begun can be looked at: some providers end without the last blank line."""
    parser = SSEParser()
    pieces = (b"data: a\n\ndata: [DO", b"NE]" + end)
    events = [event for piece in pieces for event in parser.feed(piece)]

    assert events == [ServerSentEvent("", "a")]
    assert parser.unfinished == want


def test_line_beyond_the_limit() -> None:
    """A line longer than the limit is dropped whole, and what follows is read."""
    body = b"data: " + b"x" * 100 + b"\n\ndata: b\n\n"

    assert parse(*cut(body, [30, 60, 90]), limit=50) == [("", "b")]


def test_event_beyond_the_limit() -> None:
    """So is an event of many lines."""
    assert parse(b"data: 1234567890\n" * 6 + b"\ndata: b\n\n", limit=50) == [("", "b")]


def test_memory_is_bounded() -> None:
    """An event that never ends does not grow in memory, neither in one line nor in many."""
    parser = SSEParser(limit=1000)
    for piece in (b"data: " + b"x" * 90 + b"\n", b"data:\n", b"y" * 100):
        for _ in range(2000):
            assert list(parser.feed(piece)) == []

    assert sum(map(len, parser._data)) <= 1100
    assert len(parser._data) <= 1100
    assert len(parser.unfinished) <= 2200
