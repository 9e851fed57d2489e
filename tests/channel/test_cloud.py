"""The Cloud API's channel, with pywa over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from pywa_async import WhatsApp

from otel_stream.channel import ChannelError, CloudChannel, Delivery, stream_to_channel
from otel_stream.delivery.tracker import sent_of
from otel_stream.testing import Captured, CloudServer
from tests.channel.fakes import FakeStream

NUMBER = "5511999990000"


@pytest.fixture
def server() -> Iterator[CloudServer]:
    """A running server."""
    with CloudServer() as running:
        yield running


@pytest.fixture
async def client(server: CloudServer) -> AsyncIterator[WhatsApp]:
    """A client of it."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(5.0, read=0.2)) as session:
        made = WhatsApp(server.phone_id, server.token, session=session)
        session.base_url = httpx.URL(server.graph_url)
        yield made


async def deliver(channel: CloudChannel, deltas: list[str], **options: Any) -> Delivery:
    """Send an answer of *deltas*, as fast as can be."""
    return await stream_to_channel(FakeStream(deltas), channel, NUMBER, spacing=0.0, **options)


async def test_an_answer(server: CloudServer, client: WhatsApp, captured: Captured) -> None:
    """Messages arrive with their ids; without a message to mark as read no typing is shown."""
    delivery = await deliver(CloudChannel(client), ["One.\n\nTw", "o."])

    assert server.texts == ["One.", "Two."]
    assert [m.id for m in delivery.messages] == [m.id for m in server.messages]
    assert (delivery.whole, server.presences) == (True, [])
    assert captured.spans("type whatsapp") == []


async def test_typing(server: CloudServer, client: WhatsApp) -> None:
    """Typing is shown by marking the person's message as read."""
    await deliver(CloudChannel(client, message_id="wamid.1"), ["Hello"])

    assert [(p.number, p.shown) for p in server.presences] == [("wamid.1", "typing")]


async def test_tracker(server: CloudServer, client: WhatsApp, captured: Captured) -> None:
    """Each message carries its own span, for its statuses to find."""
    await deliver(CloudChannel(client), ["One.\n\nTwo."])
    spans = [span.context.span_id for span in captured.spans("send whatsapp") if span.context]
    trackers = [message.payload["biz_opaque_callback_data"] for message in server.messages]
    found = [sent_of(tracker) for tracker in trackers]

    assert [sent.span_id for sent in found if sent] == spans


@pytest.mark.parametrize(
    ("status", "retry", "unknown"),
    [
        (400, False, False),
        (401, False, False),
        (429, True, False),
        (503, True, False),
        (500, False, True),
    ],
)
async def test_refusals(
    server: CloudServer, client: WhatsApp, status: int, retry: bool, unknown: bool
) -> None:
    """The API's errors are judged by their status."""
    server.refuse(status, retry_after=3)
    with pytest.raises(ChannelError) as refused:
        await CloudChannel(client).send(NUMBER, "Hello")

    assert (refused.value.retry, refused.value.unknown) == (retry, unknown)
    assert refused.value.after == 3.0


async def test_too_fast(server: CloudServer, client: WhatsApp) -> None:
    """A limit of speed is told by its code, whatever the status."""
    error = {"code": 131056, "message": "pair rate limit", "type": "OAuthException"}
    server.refuse(400, body={"error": error}, retry_after=0)
    delivery = await deliver(CloudChannel(client), ["Hello"])

    assert (server.texts, delivery.messages[0].attempts) == (["Hello"], 2)


@pytest.mark.parametrize("way", ["lose", "drop"])
async def test_no_reply(server: CloudServer, client: WhatsApp, way: str) -> None:
    """Without a reply nothing is sent again."""
    getattr(server, way)("hang")
    delivery = await deliver(CloudChannel(client), ["Hello"], typing=False)

    assert len(server.messages) == (way == "lose")
    assert [message.status for message in delivery.messages] == ["unknown"]


def test_other_clients() -> None:
    """The blocking client of pywa is refused: it would block the loop."""
    with pytest.raises(TypeError, match="pywa_async"):
        CloudChannel(object())  # type: ignore[arg-type]
