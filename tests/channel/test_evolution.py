"""The Evolution channel, over loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from otel_stream.channel import ChannelError, Delivery, EvolutionChannel, stream_to_channel
from otel_stream.testing import EvolutionServer
from tests.channel.fakes import FakeStream

JID = "5511999990000:12@s.whatsapp.net"
THREE = ["One.\n\nTw", "o.\n\n", "Three."]


@pytest.fixture
def server() -> Iterator[EvolutionServer]:
    """A running server."""
    with EvolutionServer(instance="my bot/1") as running:
        yield running


@pytest.fixture
async def channel(server: EvolutionServer) -> AsyncIterator[EvolutionChannel]:
    """A channel through it."""
    client = httpx.AsyncClient(timeout=httpx.Timeout(5.0, read=0.2))
    made = EvolutionChannel(server.url, server.instance, server.api_key, client=client)
    yield made
    await client.aclose()


async def deliver(channel: EvolutionChannel, deltas: list[str]) -> Delivery:
    """Send an answer of *deltas*, as fast as can be."""
    return await stream_to_channel(FakeStream(deltas), channel, JID, spacing=0.0, typing=False)


async def test_send(server: EvolutionServer, channel: EvolutionChannel) -> None:
    """A text goes to the quoted instance with the key, to the number of the JID."""
    message_id = await channel.send(JID, "Hello")

    assert message_id == server.messages[0].id
    assert server.request.path == "/message/sendText/my%20bot%2F1"
    assert server.request.json == {"number": "5511999990000", "text": "Hello"}
    assert server.request.headers["apikey"] == server.api_key


@pytest.mark.parametrize(
    ("recipient", "number"),
    [
        ("5511999990000", "5511999990000"),
        ("+55 (11) 99999-0000", "5511999990000"),
        ("5511999990000:12@s.whatsapp.net", "5511999990000"),
        ("5511999990000@c.us", "5511999990000"),
        ("1203@g.us", "1203@g.us"),
        ("5511999990000-1612345678", "5511999990000-1612345678"),
        ("123456789012345@lid", "123456789012345@lid"),
        ("120363111111@newsletter", "120363111111@newsletter"),
        ("status@broadcast", "status@broadcast"),
    ],
)
async def test_recipients(
    server: EvolutionServer, channel: EvolutionChannel, recipient: str, number: str
) -> None:
    """A person's number or JID becomes digits; no other address does, which would be a person's."""
    await channel.send(recipient, "Hello")
    await channel.typing(recipient, 10.0)

    assert [request.json["number"] for request in server.requests] == [number, number]


async def test_typing(server: EvolutionServer, channel: EvolutionChannel) -> None:
    """Typing is a presence for so many milliseconds, and paused at the end."""
    await channel.typing(JID, 10.0)
    await channel.typing(JID, 0.0)

    assert [(p.number, p.shown, p.payload["delay"]) for p in server.presences] == [
        ("5511999990000", "composing", 10000),
        ("5511999990000", "paused", 1),
    ]


async def test_typing_on_the_wire(server: EvolutionServer, channel: EvolutionChannel) -> None:
    """A delivery shows typing first, and stops it last."""
    await stream_to_channel(FakeStream(THREE, every=0.02), channel, JID, spacing=0.0)
    shown = [request.path.split("/")[2] for request in server.requests]

    assert shown == ["sendPresence", "sendText", "sendText", "sendText", "sendPresence"]
    assert [presence.shown for presence in server.presences] == ["composing", "paused"]


async def test_400_with_a_key(server: EvolutionServer, channel: EvolutionChannel) -> None:
    """A 400 is an acceptance if it holds the message's key, and a refusal otherwise."""
    server.accept(400)
    assert await channel.send(JID, "Hello") == server.messages[0].id
    server.refuse(400)
    with pytest.raises(ChannelError) as refused:
        await channel.send(JID, "Hello")

    assert (refused.value.retry, refused.value.unknown, refused.value.status) == (False, False, 400)


@pytest.mark.parametrize("body", ["accepted", [], {"key": 5}, {"key": {"id": None}}])
async def test_odd_replies(
    server: EvolutionServer, channel: EvolutionChannel, body: object
) -> None:
    """A reply without a key is nobody's word that the message was taken: it may be anybody's."""
    server.accept(body=body)
    with pytest.raises(ChannelError) as odd:
        await channel.send(JID, "Hello")

    assert (odd.value.unknown, odd.value.retry, odd.value.code) == (True, False, "no_key")


async def test_retries_send_nothing_twice(
    server: EvolutionServer, channel: EvolutionChannel
) -> None:
    """429 and 503 are sent again, and by the server's count once."""
    server.refuse(429, retry_after="0.01")
    server.refuse(503, retry_after="0")
    delivery = await deliver(channel, THREE)

    assert server.texts == ["One.", "Two.", "Three."]
    assert [message.attempts for message in delivery.messages] == [3, 1, 1]
    assert [message.id for message in delivery.messages] == [m.id for m in server.messages]


@pytest.mark.parametrize("way", ["lose", "drop"])
@pytest.mark.parametrize("ending", ["reset", "cut", "hang"])
async def test_no_reply(
    server: EvolutionServer, channel: EvolutionChannel, way: str, ending: str
) -> None:
    """Without a reply nothing is sent again: the person has each message once at most."""
    getattr(server, way)(ending)
    delivery = await deliver(channel, THREE)

    assert server.texts == (["One."] if way == "lose" else []) + ["Two.", "Three."]
    assert [m.status for m in delivery.messages] == ["unknown", "accepted", "accepted"]
    assert (delivery.lost, delivery.whole) == (4, False)


async def test_server_errors_are_not_sent_again(
    server: EvolutionServer, channel: EvolutionChannel
) -> None:
    """A 500 may come after the message has left."""
    server.accept(500, body={"error": "later"})
    delivery = await deliver(channel, THREE)

    assert server.texts == ["One.", "Two.", "Three."]
    assert [message.status for message in delivery.messages] == ["unknown", "accepted", "accepted"]


async def test_no_server(channel: EvolutionChannel, server: EvolutionServer) -> None:
    """Where nobody listens it is tried again, and then lost."""
    server.close()
    delivery = await stream_to_channel(FakeStream(["Hello"]), channel, JID, retries=1, typing=True)

    assert [(m.status, m.attempts) for m in delivery.messages] == [("refused", 2)]


async def test_slow_replies(server: EvolutionServer, channel: EvolutionChannel) -> None:
    """A server that takes its time is waited for, and order is kept."""
    server.delay = 0.05
    delivery = await deliver(channel, [f"{n}.\n\n" for n in range(10)])

    assert server.texts == [f"{n}." for n in range(10)]
    assert delivery.whole


async def test_the_key_is_told_to_nobody(
    server: EvolutionServer, channel: EvolutionChannel, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the channel's name nor an error of it holds the key or the number."""
    caplog.set_level(logging.DEBUG, "otel_stream")
    server.refuse(400)
    with pytest.raises(ChannelError) as refused:
        await channel.send(JID, "Hello")
    told = f"{channel!r} {refused.value!r} {caplog.text}"

    assert server.api_key not in told
    assert "5511999990000" not in told


async def test_a_channel_of_its_own_client(server: EvolutionServer) -> None:
    """Without a client it has one, which is closed with it; one that is given stays open."""
    async with EvolutionChannel(server.url, server.instance, server.api_key) as channel:
        await channel.send(JID, "Hello")
    with pytest.raises(RuntimeError, match="closed"):
        await channel.send(JID, "Hello")


async def test_a_thousand_conversations_at_once(
    server: EvolutionServer,
) -> None:
    """Each person gets their answer, whole, in order and once."""
    async with EvolutionChannel(server.url, server.instance, server.api_key) as channel:

        async def answer(person: int) -> Delivery:
            deltas = [f"{person} one.\n", "\n", f"{person} two."]
            return await stream_to_channel(
                FakeStream(deltas), channel, str(person), spacing=0.0, typing=False
            )

        deliveries = await asyncio.gather(*(answer(person) for person in range(1000)))
    got: dict[str, list[str]] = {}
    for message in server.messages:
        got.setdefault(message.number, []).append(message.text)

    assert [delivery for delivery in deliveries if not delivery.whole] == []
    assert got == {str(n): [f"{n} one.", f"{n} two."] for n in range(1000)}
