"""Whatever stands in a file, reading it ends well and gives lines that anybody can read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_stream.flat.facts import CONTENT, FACTS
from otel_stream.flat.reader import Reader, json_line

from .batch import TRACE, batch, span

ATTRIBUTES = [*FACTS, *CONTENT, "service.name"]
HEAD = {"start", "duration", "service", "trace_id", "span_id", "parent_span_id"}
KEYS = HEAD | {key for key, _ in [*FACTS.values(), *CONTENT.values()]}
KINDS = ["stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "zig"]
FIELDS = [
    "traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "attributes",
    "events", "resourceSpans", "scopeSpans", "spans", "resource", "key", "value", "values", "name",
]  # fmt: skip

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.integers().map(str) | st.sampled_from([TRACE, "0000000000000001", "9" * 5000])
)  # fmt: skip
any_json = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS + KINDS) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)
values = st.dictionaries(st.sampled_from(KINDS), any_json, min_size=1, max_size=2)
attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), values)
fields = st.dictionaries(st.sampled_from(FIELDS), any_json, max_size=3)


def read(line: bytes) -> list[Any]:
    """The streams of a line, each checked."""
    streams, _ = Reader(content=True).feed(line)
    return [checked(json_line(flat)) for flat in streams]


def checked(line: bytes) -> Any:
    """A line, read back: no null, no unknown key, no control character."""
    [text] = line.decode().splitlines()
    assert text.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    flat = json.loads(text)
    assert set(flat) <= KEYS
    assert None not in flat.values()
    return flat


@given(st.binary(max_size=200))
def test_any_bytes(line: bytes) -> None:
    """Any bytes are read or refused."""
    assert read(line) == []


@given(any_json)
def test_any_json(value: Any) -> None:
    """So is any JSON, at the top or where the spans should be."""
    for given_ in (value, {"resourceSpans": value}, {"resourceSpans": [{"scopeSpans": value}]}):
        read(json.dumps(given_).encode())


@given(fields, attributes)
def test_any_fields(fields: dict[str, Any], attributes: dict[str, Any]) -> None:
    """Whatever a span's fields and attributes are, the others of its line are not changed."""
    odd = span(1, {"otel_stream.outcome": "error"} | attributes) | fields
    line = batch(odd, span(2))
    told = [one.get("span_id") for one in read(line)]

    assert told.count("0000000000000002") == Reader().feed(line)[1]


@given(st.data())
def test_any_cut(data: st.DataObject) -> None:
    """A line that was cut anywhere, with a whole one behind it, still gives the whole one."""
    line = batch(span(1), service="é\x9b").rstrip()
    cut = data.draw(st.integers(0, len(line)))
    told = [one["span_id"][-1] for one in read(line[:cut] + batch(span(3)))]

    assert told == (["1", "3"] if cut == len(line) else ["3"])


@given(st.data())
def test_any_byte_turned(data: st.DataObject) -> None:
    """A byte that was turned costs its line at most."""
    line = bytearray(batch(span(1), span(2), service="bot"))
    line[data.draw(st.integers(0, len(line) - 2))] = data.draw(st.integers(0, 255))

    assert len(read(bytes(line))) <= 2
