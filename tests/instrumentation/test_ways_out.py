"""Ways out: a block, a client or a call that is not traced; and facts of one's own on the spans."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry.instrumentation.utils import suppress_instrumentation

import otel_stream
from otel_stream.testing import Captured, ProviderServer, chat_completion, chat_text, message

from .clients import client_of
from .conftest import CHAT, MESSAGE, Attributes, Client, Serve

pytestmark = pytest.mark.sdk_matrix


@pytest.fixture
def chat(serve: Serve) -> Any:
    """Makes a chat call with a client, streamed or not."""

    def make(client: Any, stream: bool = False) -> Any:
        serve(chat_text(["Hi"]) if stream else chat_completion())
        answer = client.chat.completions.create(**CHAT, stream=stream)
        return list(answer) if stream else answer

    return make


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "block",
    [otel_stream.suppress, suppress_instrumentation],
    ids=["ours", "OpenTelemetry's"],
)
def test_suppressed_block(
    block: Any, stream: bool, chat: Any, client: Client, captured: Captured
) -> None:
    """In a suppressed block, ours or OpenTelemetry's, nothing is traced; after it all is."""
    made = client("openai")
    with block():
        chat(made, stream)
    assert captured.spans() == []
    assert captured.metrics() == {}

    chat(made, stream)
    assert len(captured.spans()) == 1


def test_suppression_of_the_sdk(chat: Any, client: Client, captured: Captured) -> None:
    """The key by which exporters keep their own calls out is honoured."""
    key = context._SUPPRESS_INSTRUMENTATION_KEY
    token = context.attach(context.set_value(key, True))
    chat(client("openai"))
    context.detach(token)

    assert captured.spans() == []


def test_stream_read_in_a_suppressed_block(
    serve: Serve, client: Client, captured: Captured
) -> None:
    """What counts is where the call was made, not where its answer is read."""
    serve(chat_text(["Hi"]))
    stream = client("openai").chat.completions.create(**CHAT, stream=True)
    with otel_stream.suppress():
        list(stream)

    assert len(captured.spans()) == 1


def test_suppressed_tasks(server: ProviderServer, serve: Serve, captured: Captured) -> None:
    """A task that is started in a suppressed block is suppressed too, and no other."""

    async def run() -> None:
        async with client_of("openai", server, asynchronous=True) as client:
            with otel_stream.suppress():
                inside = asyncio.create_task(client.chat.completions.create(**CHAT))
            await inside
            await client.chat.completions.create(**CHAT)

    serve(chat_completion())
    serve(chat_completion())
    asyncio.run(run())

    assert len(captured.spans()) == 1


def test_untraced_client(chat: Any, client: Client, captured: Captured) -> None:
    """One client can be left out, and the one that it was made from stays in."""
    made = client("openai")
    left_out = otel_stream.untraced(made)
    chat(left_out)
    chat(left_out, stream=True)
    assert captured.spans() == []

    chat(made)
    assert len(captured.spans()) == 1


def test_untraced_call(serve: Serve, client: Client, captured: Captured) -> None:
    """One call can be left out, over the same connections."""
    made = client("anthropic")
    serve(message())
    otel_stream.untraced(made).messages.create(**MESSAGE)

    assert captured.spans() == []
    assert otel_stream.untraced(made)._client is made._client


@pytest.mark.parametrize("copied", ["copy", "with_options"])
def test_copies_of_an_untraced_client(
    copied: str, chat: Any, client: Client, captured: Captured
) -> None:
    """Copies of it, and copies of those, are left out too."""
    left_out = otel_stream.untraced(client("openai"))
    chat(getattr(getattr(left_out, copied)(timeout=5.0), copied)(timeout=6.0))

    assert captured.spans() == []


def test_untraced_is_the_same_kind(client: Client) -> None:
    """What is left out is a client like the other: type, address, key."""
    made = client("openai")
    left_out = otel_stream.untraced(made)

    assert type(left_out) is type(made)
    assert (left_out.base_url, left_out.api_key) == (made.base_url, made.api_key)


def test_attributes(chat: Any, client: Client, attributes: Attributes) -> None:
    """Facts of the application's are on the span; well known ones by the convention's names."""
    with otel_stream.attributes(
        session_id="s-1", user_id="u-1", conversation_id="c-1", tier="gold"
    ):
        chat(client("openai"), stream=True)
    found = attributes()

    assert found["session.id"] == "s-1"
    assert found["user.id"] == "u-1"
    assert found["gen_ai.conversation.id"] == "c-1"
    assert found["tier"] == "gold"


def test_attributes_add_up(chat: Any, client: Client, captured: Captured) -> None:
    """Blocks within each other add up, and are over when they are left."""
    made = client("openai")
    with otel_stream.attributes(outer=1, both="outer"):
        with otel_stream.attributes(inner=2, both="inner"):
            chat(made)
        chat(made)
    chat(made)
    found = [dict(span.attributes or {}) for span in captured.spans()]
    own = [{name: one[name] for name in ("outer", "inner", "both") if name in one} for one in found]

    assert own == [{"outer": 1, "inner": 2, "both": "inner"}, {"outer": 1, "both": "outer"}, {}]


def test_attributes_are_not_on_metrics(chat: Any, client: Client, captured: Captured) -> None:
    """No id of a person or session is on a metric."""
    with otel_stream.attributes(user_id="u-1"):
        chat(client("openai"), stream=True)
    labels = {
        name for points in captured.metrics().values() for p in points for name in p.attributes
    }

    assert "user.id" not in labels


def test_attributes_cross_tasks(server: ProviderServer, serve: Serve, captured: Captured) -> None:
    """Facts reach the tasks that are started inside."""

    async def run() -> None:
        async with client_of("openai", server, asynchronous=True) as client:
            with otel_stream.attributes(tier="gold"):
                await asyncio.create_task(client.chat.completions.create(**CHAT))

    serve(chat_completion())
    asyncio.run(run())

    assert (captured.span().attributes or {})["tier"] == "gold"


@pytest.mark.parametrize("block", [otel_stream.suppress, otel_stream.attributes])
def test_blocks_let_exceptions_through(block: Any) -> None:
    """A block changes nothing about an exception in it."""
    found: AbstractContextManager[None] = block()
    with pytest.raises(KeyError), found:
        raise KeyError("mine")
