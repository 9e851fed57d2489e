"""What a line of spans becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_stream.flat.reader import Reader, json_line

from .batch import END, START, TRACE, batch, event, span

HEAD = {
    "start": "2026-11-21T18:00:00.000000Z",
    "duration": 2.5,
    "trace_id": TRACE,
    "span_id": "0000000000000001",
}


def only(line: bytes, content: bool = False) -> dict[str, Any]:
    """The one stream of a line that is whole."""
    [flat], is_whole = Reader(content).feed(line)
    assert is_whole
    return flat


def named(spans: list[dict[str, Any]]) -> list[int]:
    return [int(one["span_id"], 16) for one in spans]


class TestStreams:
    def test_least(self) -> None:
        """A stream of which nothing is known but its outcome has that, its ids and its times."""
        assert only(batch(span())) == HEAD | {"outcome": "completed"}

    def test_most(self) -> None:
        """Keys come in the order of the table, whatever the order of the attributes."""
        attributes = {
            "otel_stream.chunk.count": 7,
            "otel_stream.outcome": "error",
            "error.type": "ReadError",
            "gen_ai.operation.name": "chat",
        }
        flat = only(batch(span(1, attributes, parentSpanId="00000000000000FF"), service="bot"))

        assert list(flat.items()) == [
            ("start", "2026-11-21T18:00:00.000000Z"),
            ("duration", 2.5),
            ("service", "bot"),
            ("trace_id", TRACE),
            ("span_id", "0000000000000001"),
            ("parent_span_id", "00000000000000ff"),
            ("operation", "chat"),
            ("outcome", "error"),
            ("error_type", "ReadError"),
            ("chunks", 7),
        ]

    def test_other_spans(self) -> None:
        """Spans without an outcome are no streams, and of a batch only the streams are told."""
        streams, _ = Reader().feed(batch(span(1, {"http.route": "/"}), span(2), span(3, {})))

        assert named(streams) == [2]

    def test_tool_calls(self) -> None:
        """The names of the tools come from the span's events, in their order."""
        calls = [event("otel_stream.tool_call", gen_ai__tool__name=name) for name in ("a", "b")]
        events = [event("otel_stream.first_token"), *calls, event("otel_stream.tool_call")]

        assert only(batch(span(events=events)))["tool_calls"] == ["a", "b"]

    def test_content_is_asked_for(self) -> None:
        """Messages are told only when asked for, as the JSON text that the span carries."""
        said = '[{"role":"assistant"}]'
        line = batch(span(1, {"otel_stream.outcome": "completed", "gen_ai.output.messages": said}))

        assert "output_messages" not in only(line)
        assert only(line, content=True)["output_messages"] == said

    def test_structured_content(self) -> None:
        """Messages that are structured attributes become a JSON text."""
        role = {"kvlistValue": {"values": [{"key": "role", "value": {"stringValue": "user"}}]}}
        attributes = {"otel_stream.outcome": "completed", "gen_ai.input.messages": [role]}
        flat = only(batch(span(1, attributes)), content=True)

        assert flat["input_messages"] == '[{"role":"user"}]'


class TestDoubles:
    def test_first_wins(self) -> None:
        """A span that comes again is dropped and counted, in the same line or a later one."""
        reader = Reader()
        told = [reader.feed(batch(span(1), span(1), span(2)))[0], reader.feed(batch(span(2)))[0]]

        assert [named(streams) for streams in told] == [[1, 2], []]
        assert reader.doubles == 2

    def test_case_of_ids(self) -> None:
        """Ids are the same in capitals."""
        reader = Reader()
        for trace in (TRACE, TRACE.upper()):
            reader.feed(batch(span(traceId=trace)))

        assert reader.doubles == 1

    @pytest.mark.parametrize("trace", [None, "", "0" * 32, "zz" * 16, 7])
    def test_no_ids(self, trace: Any) -> None:
        """Where an id is missing or none, nobody can say that it is a double: both are told."""
        reader = Reader()
        streams, _ = reader.feed(batch(span(traceId=trace), span(traceId=trace)))

        assert (len(streams), reader.doubles) == (2, 0)
        assert "trace_id" not in streams[0]


class TestBrokenLines:
    @pytest.mark.parametrize(
        "line",
        [
            b"garbage\n",
            b"[]\n",
            b"{}\n",
            b'{"resourceMetrics":[]}\n',
            b'{"resourceSpans":7}\n',
            b'{"resourceSpans":[{"scopeSpans":[{"spans":["x"]}]}]}\n',
            b"\xff\xfe\n",
            b'{"resourceSpans":' + b"[" * 100_000 + b"\n",
            b'{"zig":' + b'{"a":' * 100_000 + b"\n",
            batch(span())[:-40],
        ],
        ids=range(10),
    )
    def test_refused(self, line: bytes) -> None:
        """What is no whole batch of spans gives nothing, and is said to be broken."""
        assert Reader().feed(line) == ([], False)

    def test_whole_behind_a_half(self) -> None:
        """Of a half line, and the whole one that a restarted writer put behind it, one is told."""
        streams, is_whole = Reader().feed(batch(span(1), span(2))[:-200] + batch(span(3)))

        assert (named(streams), is_whole) == ([3], False)

    def test_whole_behind_a_whole(self) -> None:
        """A writer that was killed before the line's end alone lost nothing: both are told."""
        streams, is_whole = Reader().feed(batch(span(1)).rstrip() + batch(span(2)))

        assert (named(streams), is_whole) == ([1, 2], True)

    @pytest.mark.parametrize("line", [b"\n", b" \r\n", b'{"resourceSpans":null}\n'])
    def test_empty(self, line: bytes) -> None:
        """A line without anything is whole."""
        assert Reader().feed(line) == ([], True)


class TestTimes:
    def test_numbers(self) -> None:
        """64-bit integers may be numbers."""
        line = batch(span(startTimeUnixNano=START + 1999, endTimeUnixNano=END))

        assert only(line)["start"] == "2026-11-21T18:00:00.000001Z"

    @pytest.mark.parametrize(
        "start", ["0", None, "9" * 5000, 10**30, "1_000", -1, 2.5, [], END + 1]
    )
    def test_unknown(self, start: Any) -> None:
        """A time that cannot be is left out, and with it the duration."""
        assert "duration" not in only(batch(span(startTimeUnixNano=start)))


class TestTerminal:
    @pytest.mark.parametrize("sign", ["\x1b", "\x07", "\x7f", "\x85", "\x9b", "\u2028", "\u202e"])
    def test_controls_are_escaped(self, sign: str) -> None:
        """What a terminal would obey, or what ends a line for some, is escaped, and comes back."""
        service = f"a{sign}31mé"
        line = json_line(only(batch(span(), service=service))).decode()

        assert f"a\\u{ord(sign):04x}31mé" in line
        assert json.loads(line)["service"] == service
