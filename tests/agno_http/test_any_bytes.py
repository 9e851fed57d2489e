"""Any events, on either wire, cut anywhere, with garbage between them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream_agno_http.wire import WireParser

from .streams import WIRES, Event, cut
from .test_wire import read, wanted

pytestmark = pytest.mark.sdk_matrix  # msgspec and the HTTP libraries count too

NAMES = st.sampled_from(["RunStarted", "RunContent", "TeamRunContent", "RunCompleted", "Unheard"])
TEXT = st.text(max_size=30) | st.sampled_from(
    ["}{", '"}', "{", '\\"', "\n\ndata: {", "🐛", "\u2028"]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENT = st.builds(
    lambda name, content, more: {"x": more, "event": name, "content": content},
    NAMES,
    TEXT,
    ANY,
)
EVENTS = st.lists(EVENT, max_size=8)
PLACES = st.lists(st.integers(0, 4_000), max_size=40)
# Words, and JSON that breaks off or is none. A whole object around an event would be its owner.
STRAY = st.sampled_from(
    ["", "{", "}", "}{", '"', '{"', '{"a": [', "[1", "null", "\\", "{{{", "{}", "Oh no", ": {"]
) | st.text('{}[]",:ab1 \\', max_size=8).filter(lambda text: "}" not in text)


def is_whole(body: bytes) -> bool:
    """Whether the body is JSON that a strict reader would take for one object."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("wire", WIRES)
@given(events=EVENTS, places=PLACES)
def test_any_events_in_any_pieces(wire: str, events: list[Event], places: list[int]) -> None:
    """What is sent is what is read."""
    body = b"".join(WIRES[wire](events))

    assert read(cut(body, places)) == wanted(events)


@given(parts=st.lists(st.tuples(STRAY, EVENT), max_size=5), places=PLACES)
def test_garbage_in_front_of_objects(parts: list[tuple[str, Event]], places: list[int]) -> None:
    """Whatever garbage stands in front of it, each object is read, as long as it ends a line."""
    body = "".join(f"{stray}\n{json.dumps(event, indent=2)}\n" for stray, event in parts)
    found = read(cut(body.encode(), places))

    assert found == wanted(event for _, event in parts)


@given(data=st.lists(st.binary(max_size=60), max_size=10), wire=st.sampled_from([b"{", b"data:"]))
def test_any_bytes(data: list[bytes], wire: bytes) -> None:
    """No bytes make it raise, and all of it in one piece says the same."""
    pieces = [wire, *data]

    assert read(pieces) == read([b"".join(pieces)])


@given(body=st.text('{}[]",:\\ \na1', max_size=200), places=PLACES, event=EVENT)
def test_it_is_never_stuck(body: str, places: list[int], event: dict[str, Any]) -> None:
    """After anything at all, an event in server-sent form is read, and one that stands alone is
    not lost for long: the events behind it show that it was one."""
    parser = WireParser()
    for piece in cut(f"data:{body}\n\n".encode(), places):
        parser.feed(piece)
    [piece] = WIRES["server_sent"]([event])

    assert read([piece], parser)[-1:] == wanted([event])
