"""Answers of real Agno servers, replayed over sockets through each HTTP library.

Whole, at the times at which they came, and with twenty seeded cuts, where time runs ten times as
fast: there is nothing to learn from waiting. All captures of a round are replayed at once. First
text is measured on the client, from its own call, and compared with when the server sent the byte
that completes the first event with content, and with the time that the capture's makers tell (for
which the way of the request to our server is left out, as eight of them are made at once). The
medians over a library's captures are within 5 ms; of a single one a busy machine may say anything.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, NamedTuple

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otel_stream.testing import Captured
from otel_stream_agno_http import AgnoHttpInstrumentor
from otel_stream_agno_http.wire import WireParser

from ..agno_http.libraries import LIBRARIES
from ..agno_http.server import Answer, WireServer
from .agno import CAPTURES, MISSING, Capture

pytestmark = pytest.mark.skipif(MISSING, reason="no captures of Agno beside the recordings")
SEEDS = range(20)
Pieces = list[tuple[float, bytes]]


@pytest.fixture(autouse=True)
def instrumented(captured: Captured) -> Iterator[None]:
    instrumentor = AgnoHttpInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def cut(pieces: Pieces, seed: int) -> Pieces:
    """Each piece in up to four, all sent at once, and all ten times as early."""
    chance = random.Random(seed)
    found: Pieces = []
    for at, piece in pieces:
        places = sorted({0, len(piece), *chance.choices(range(len(piece)), k=chance.randint(0, 3))})
        edges = itertools.pairwise(places)
        found += [(at / 10, piece[start:end]) for start, end in edges]
    return found


def place_of_first_text(pieces: Pieces) -> int:
    """The piece with which the first event with content is there."""
    parser = WireParser()
    for place, (_, piece) in enumerate(pieces):
        if any("Content" in e.event and e.content for e in parser.feed(piece)):
            return place
    raise AssertionError("no text")


class Replayed(NamedTuple):
    """One answer as the program got it.

    Attributes:
        way: From its call until the request was at the server (s).
        first_text: From its call until the first text was sent (s).
    """

    body: bytes
    way: float
    first_text: float


def replay(library: str, scripts: dict[str, Pieces]) -> dict[str, Replayed]:
    """Ask for all of them at once."""
    by_path = {Capture.read(name).path: pieces for name, pieces in scripts.items()}
    server = WireServer(lambda path: Answer(by_path[path]))
    found: dict[str, Replayed] = {}

    def ask(name: str) -> None:
        path = Capture.read(name).path
        asked, body = LIBRARIES[library](server.url + path)
        served = server.served[path]
        first = served.sent[place_of_first_text(scripts[name])]
        found[name] = Replayed(body, served.came - asked, first - asked)

    with ThreadPoolExecutor(len(scripts)) as pool:
        list(pool.map(ask, scripts))
    server.close()
    return found


def text_of(span: ReadableSpan) -> str:
    messages = json.loads(str((span.attributes or {}).get("gen_ai.output.messages", "[]")))
    parts = [part for message in messages for part in message["parts"]]
    return "".join(part["content"] for part in parts if part["type"] == "text")


def check(name: str, captured: Captured) -> None:
    """The spans of one capture say what its makers say."""
    truth = CAPTURES[name]
    outer = captured.span(f"invoke_agent {name}")
    attributes: Any = outer.attributes
    inside = [s for s in captured.spans() if s.parent and s.parent.span_id == outer.context.span_id]
    tools = [s.name for s in inside if s.name.startswith("execute_tool")]
    members = [len(text_of(s)) for s in inside if s.name == "invoke_agent joker"]
    errors = 1 if truth.outcome == "error" else 0

    assert attributes["otel_stream.outcome"] == truth.outcome
    assert attributes["otel_stream.chunk.count"] == truth.events - errors
    assert len(text_of(outer)) == attributes["otel_stream.content.size"] == truth.size
    assert tools == [f"execute_tool {tool}" for tool in truth.tools]
    assert members == ([truth.member] if truth.member else [])


def time_to_first_text(name: str, captured: Captured) -> float:
    attributes: Any = captured.span(f"invoke_agent {name}").attributes
    return float(attributes["otel_stream.time_to_first_text"])


def wait(captured: Captured, eventually: Callable[..., bool]) -> None:
    assert eventually(lambda: not captured.open_spans())


@pytest.mark.parametrize("library", LIBRARIES)
def test_at_recorded_times(
    library: str, captured: Captured, eventually: Callable[..., bool]
) -> None:
    """As they came: spans as the truth, first text when it was sent and when it had come."""
    scripts = {name: list(Capture.read(name).pieces) for name in CAPTURES}
    bodies = {name: Capture.read(name).body for name in CAPTURES}
    off = [1.0]
    for _ in range(3):  # On a busy machine the replay itself may be late.
        captured.clear()
        found = replay(library, scripts)
        wait(captured, eventually)
        for name in CAPTURES:
            check(name, captured)
        told = {name: time_to_first_text(name, captured) for name in CAPTURES}
        late = [told[name] - one.first_text for name, one in found.items()]
        off = [told[name] - one.way - CAPTURES[name].first_text for name, one in found.items()]

        assert {name: one.body for name, one in found.items()} == bodies
        assert abs(median(late)) < 0.005
        if abs(median(off)) < 0.005:
            break

    assert abs(median(off)) < 0.005


@pytest.mark.parametrize("library", LIBRARIES)
def test_cut_anywhere(library: str, captured: Captured, eventually: Callable[..., bool]) -> None:
    """Twenty times in other pieces: the same spans, and first text when it was sent."""
    late: list[float] = []
    for seed in SEEDS:
        captured.clear()
        scripts = {name: cut(list(Capture.read(name).pieces), seed) for name in CAPTURES}
        found = replay(library, scripts)
        wait(captured, eventually)
        for name, one in found.items():
            assert one.body == Capture.read(name).body
            check(name, captured)
            late.append(time_to_first_text(name, captured) - one.first_text)

    assert abs(median(late)) < 0.005
