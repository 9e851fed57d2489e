"""A short, seeded run of the fuzzer, of which `make fuzz` is the long one, and its properties."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk

from otel_stream.attributes import LARGEST, sound
from otel_stream.delta import Delta
from otel_stream.raw import decoded
from otel_stream.sse import SSEParser
from otel_stream_anthropic.messages import MessageReader
from otel_stream_openai.chat import ChatReader
from otel_stream_openai.completions import CompletionReader
from otel_stream_openai.responses import ResponsesReader

from .fuzz import Fuzz, main, prepared

EVENTS = 10_000
DELTAS = (str, *Delta.__args__)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("seed", [1, 2])
def test_short_run(seed: int) -> None:
    """Tens of thousands of mutated events raise nothing of ours and change no chunk."""
    with prepared() as checks:
        fuzz = Fuzz(seed, checks)
        fuzz.run(EVENTS // 2)

    assert fuzz.events.total() >= EVENTS // 2
    assert min(checks.outcomes.values()) > 0  # all six ways to end were taken


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says how many events went through, which ways, and how the streams ended."""
    assert main(["--count", "200", "--seed", "5"]) == 0
    summary = capsys.readouterr().out

    assert "as objects" in summary and "completed" in summary
    assert "no fault" in summary


def test_same_seed_same_run() -> None:
    """A seed names a run: what it finds is found again."""
    found = []
    for _ in range(2):
        with prepared() as checks:
            fuzz = Fuzz(3, checks)
            fuzz.run(300)
        found.append((fuzz.events, checks.outcomes))

    assert found[0] == found[1]


@pytest.mark.parametrize(
    "reader",
    [ChatReader, CompletionReader, ResponsesReader, MessageReader],
    ids=lambda r: r.__name__,
)
@settings(deadline=None)
@given(value=any_json)
def test_readers_are_total(reader: type[Any], value: Any) -> None:
    """Whatever JSON stands where a chunk should be, a reader gives deltas or nothing."""
    found = reader().read(decoded(json.dumps(value)))

    for delta in found if isinstance(found, list) else [found]:
        assert delta is None or isinstance(delta, DELTAS)


@settings(deadline=None)
@given(delta=any_json, index=any_json, finish=any_json)
def test_chat_reader_takes_the_sdks_objects(delta: Any, index: Any, finish: Any) -> None:
    """So it does with whatever the SDK makes of it, which checks nothing."""
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    chunk = construct_type(value={"choices": [choice]}, type_=ChatCompletionChunk)
    reader = ChatReader()
    reader.read(chunk)
    found = reader.read(chunk)

    for one in found if isinstance(found, list) else [found]:
        assert one is None or isinstance(one, DELTAS)


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_parser_does_not_care_where_bytes_are_cut(body: bytes, cuts: list[int]) -> None:
    """Any bytes, cut anywhere, make the events that they make in one piece."""
    places = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    parser = SSEParser()
    in_pieces = [
        event for start, end in itertools.pairwise(places) for event in parser.feed(body[start:end])
    ]

    assert in_pieces == list(SSEParser().feed(body))


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text() | st.integers())))
def test_sound_attributes(attributes: dict[str, Any]) -> None:
    """Sound attributes can be encoded: texts as UTF-8, whole numbers in 64 bits."""
    for value in sound(attributes).values():
        for one in value if isinstance(value, list) else [value]:
            assert one.encode() is not None if isinstance(one, str) else abs(one) <= LARGEST + 1
