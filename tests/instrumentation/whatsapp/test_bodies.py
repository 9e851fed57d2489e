"""Bodies of requests and replies, whatever is in them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from otel_stream_evolution.asked import Asked
from otel_stream_evolution.endpoint import endpoint_of
from otel_stream_evolution.reply import Reply

NAMES = ["number", "text", "textMessage", "caption", "key", "remoteJid", "presence", "delay", "id"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)
KINDS = ["text", "media", "audio", "reaction", "poll", "list", "buttons", "status", "presence"]


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body(body: bytes) -> None:
    """Whatever a program posts, reading it raises nothing, and what is found is of its type."""
    asked = Asked(body)

    assert isinstance(asked.recipient, str)
    assert isinstance(asked.presence, str)
    assert 0.0 <= asked.delay <= 3600.0
    assert {type(asked.text(kind)) for kind in KINDS} <= {str, type(None)}


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps({"key": value}).encode()))
def test_any_reply(body: bytes) -> None:
    """Whatever a server replies, reading it raises nothing."""
    reply = Reply()
    reply.add(body)
    key = reply.key

    assert key is None or (key.id and isinstance(key.recipient, str))


@given(st.integers(0, 90), st.booleans())
def test_a_reply_in_pieces(cut: int, first: bool) -> None:
    """A key is found wherever the reply is cut, and whatever stands before it."""
    key = {"key": {"remoteJid": "1@s.whatsapp.net", "fromMe": True, "id": "BAE5"}}
    rest = {"message": {"conversation": '}{ "key": {}'}}
    body = json.dumps({**key, **rest} if first else {**rest, **key}).encode()
    reply = Reply()
    for piece in (body[:cut], body[cut:]):
        reply.add(piece)

    assert reply.key is not None
    assert (reply.key.id, reply.whole) == ("BAE5", True)


def test_bodies_that_are_deep() -> None:
    """Nesting without end is no reason to fail."""
    deep = b'{"key":' * 100_000
    reply = Reply()
    reply.add(deep)

    assert (Asked(deep).recipient, reply.key) == ("", None)


@given(st.text(max_size=40))
def test_any_path(path: str) -> None:
    """A path of any kind raises nothing."""
    assert endpoint_of(path) is None or "/send" in path
