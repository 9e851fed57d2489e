"""Whatever a webhook holds, reading it raises nothing, and no more than was sent is found."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_stream.delivery.incoming import incoming_of
from otel_stream.delivery.status import statuses_of
from tests.delivery.bodies import cloud, cloud_message, cloud_status, evolution, record, update

NAMES = st.sampled_from(
    ["event", "data", "key", "id", "fromMe", "remoteJid", "message", "messages", "messageType",
     "conversation", "extendedTextMessage", "text", "entry", "changes", "value", "statuses",
     "status", "update", "keyId", "errors", "code", "timestamp", "biz_opaque_callback_data",
     "ephemeralMessage", "instance", "type", "from", "participant"]
)  # fmt: skip
WORDS = st.sampled_from(["messages.upsert", "messages.update", "READ", "sent", "status@broadcast"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=20,
)
REAL = [
    evolution(record()),
    evolution({"messages": [record(), record()]}),
    update("BAE5", "READ"),
    evolution([{"key": {"id": "B"}, "update": {"status": 3}}], "messages.update"),
    cloud(messages=[cloud_message()]),
    cloud(statuses=[cloud_status("wamid.A", "failed", errors=[{"code": 1}])]),
]


def places_of(value: Any) -> list[tuple[Any, Any]]:
    """Everything in *value* that can be changed: what holds it, and its key."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    inner = [value[key] for key in keys if isinstance(value[key], (dict, list))]
    return found + [place for each in inner for place in places_of(each)]


def read(body: Any) -> None:
    """Read it as both, and see that what is found is sound."""
    for message in incoming_of(body):
        assert isinstance(message.message_id, str)
        assert all(isinstance(name, str) for name in (message.sender, message.text, *message.chat))
    for told in statuses_of(body):
        assert 0 < len(told.message_id) <= 512


@given(JSON)
def test_any_json(body: Any) -> None:
    """Any JSON at all."""
    read(body)


@given(st.dictionaries(NAMES, JSON, max_size=6), WORDS)
def test_any_envelope(body: dict[str, Any], event: str) -> None:
    """Any JSON in the envelope of an event."""
    read({**body, "event": event})


@given(st.sampled_from(REAL), st.data(), JSON)
def test_real_ones_changed(body: dict[str, Any], data: st.DataObject, other: Any) -> None:
    """A real one, with anything in the place of anything."""
    changed = copy.deepcopy(body)
    holder, key = data.draw(st.sampled_from(places_of(changed)))
    holder[key] = other

    read(changed)
