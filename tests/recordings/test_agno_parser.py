"""The parser alone, on bodies of real Agno servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from otel_stream_agno_http.event import WireEvent
from otel_stream_agno_http.wire import WireParser

from .agno import CAPTURES, MISSING, Capture

pytestmark = pytest.mark.skipif(MISSING, reason="no captures of Agno beside the recordings")
Told = tuple[Any, Any, Any]


def told(events: Iterable[WireEvent]) -> list[Told]:
    return [(event.event, event.run_id, event.content) for event in events]


def oracle(body: bytes) -> list[Told]:
    """The same, read by other means: the whole body at once, by the standard library."""
    text = body.decode()
    if text.startswith("{"):
        decoder, found, at = json.JSONDecoder(), [], 0
        while at < len(text):
            event, at = decoder.raw_decode(text, at)
            found.append(event)
    else:
        found = [json.loads(data) for data in re.findall(r"^data: (.*)$", text, re.MULTILINE)]
    return [(e.get("event"), e.get("run_id"), e.get("content")) for e in found]


@pytest.mark.parametrize("name", CAPTURES)
def test_what_is_in_them(name: str) -> None:
    """Events and texts are as many as their makers say."""
    truth, body = CAPTURES[name], Capture.read(name).body
    events = told(WireParser().feed(body))
    deltas = [content for kind, _, content in events if kind.endswith("Content") and content]

    assert events == oracle(body)
    assert (len(events), len(deltas)) == (truth.events, truth.deltas)
    assert sum(map(len, deltas)) == truth.size + (truth.member or 0)


@pytest.mark.parametrize("name", CAPTURES)
def test_cut_at_every_byte(name: str) -> None:
    """Cut in two at whatever byte, a body says the same."""
    body = Capture.read(name).body
    wanted = oracle(body)
    for place in range(len(body) + 1):
        parser = WireParser()
        found = [*parser.feed(body[:place]), *parser.feed(body[place:]), *parser.finish()]

        assert told(found) == wanted, place


@pytest.mark.parametrize("name", CAPTURES)
def test_a_byte_at_a_time(name: str) -> None:
    """Cut at every byte at once, too."""
    body = Capture.read(name).body
    parser = WireParser()
    found = [event for at in range(len(body)) for event in parser.feed(body[at : at + 1])]

    assert told(found) == oracle(body)


@pytest.mark.parametrize("name", CAPTURES)
def test_each_event_with_its_own_bytes(name: str) -> None:
    """Each piece of the network held one event, which is there with that piece."""
    parser = WireParser()
    found = [len(parser.feed(piece)) for _, piece in Capture.read(name).pieces]

    assert set(found) <= {0, 1} or max(found) <= 2
    assert sum(found) == CAPTURES[name].events
