"""The fake messaging servers: what they take, and how they fail."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from otel_stream.testing import AcceptedMessage, CloudServer, EvolutionServer

HELLO = {"number": "5511999990000", "text": "Hello"}


@pytest.fixture
def evolution() -> Iterator[EvolutionServer]:
    """A running fake Evolution API."""
    with EvolutionServer() as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[CloudServer]:
    """A running fake Cloud API."""
    with CloudServer() as server:
        yield server


def send(server: EvolutionServer, path: str = "message/sendText/bot", **body: object) -> int:
    """Post to the server with the right key. Returns the status."""
    return httpx.post(
        f"{server.url}/{path}", headers={"apikey": server.api_key}, json=body or HELLO
    ).status_code


def test_text_is_accepted(evolution: EvolutionServer) -> None:
    """A text is kept, and the reply holds its id in the shape of the API."""
    url = f"{evolution.url}/message/sendText/bot"
    reply = httpx.post(url, headers={"apikey": "test-key"}, json=HELLO)

    assert reply.status_code == 201
    assert reply.json()["key"]["id"] == "BAE5000000000001"
    assert evolution.messages == [
        AcceptedMessage("BAE5000000000001", "5511999990000", "Hello", "text", HELLO)
    ]


def test_presence_is_noted(evolution: EvolutionServer) -> None:
    """A presence is no message."""
    send(evolution, "chat/sendPresence/bot", number="55", presence="composing", delay=1000)

    assert [(p.number, p.shown) for p in evolution.presences] == [("55", "composing")]
    assert evolution.messages == []


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("message/sendText/bot", "other", 401),
        ("message/sendText/other", "test-key", 404),
        ("message/sendNothing/bot", "test-key", 404),
    ],
)
def test_strangers_are_refused(
    evolution: EvolutionServer, path: str, key: str, status: int
) -> None:
    """Another key, instance or path is refused as the API does."""
    reply = httpx.post(f"{evolution.url}/{path}", headers={"apikey": key}, json=HELLO)

    assert (reply.status_code, evolution.messages) == (status, [])


def test_refusals_are_for_the_next_messages(evolution: EvolutionServer) -> None:
    """What is to go wrong goes wrong in order, and then all is well again."""
    evolution.refuse(500)
    evolution.refuse(429, retry_after=2)
    evolution.accept(400)

    assert [send(evolution) for _ in range(4)] == [500, 429, 400, 201]
    assert len(evolution.messages) == 2


@pytest.mark.parametrize(("how", "accepted"), [("lose", 1), ("drop", 0)])
@pytest.mark.parametrize("ending", ["reset", "cut"])
def test_a_sender_may_learn_nothing(
    evolution: EvolutionServer, how: str, ending: str, accepted: int
) -> None:
    """A message lost and one dropped look the same from outside."""
    getattr(evolution, how)(ending)

    with pytest.raises(httpx.TransportError):
        send(evolution)
    assert len(evolution.messages) == accepted


def test_cloud(cloud: CloudServer) -> None:
    """The Cloud API takes a text, shows typing, and refuses in its own words."""
    cloud.refuse(429, "slow down")
    url, headers = (
        f"{cloud.graph_url}/{cloud.phone_id}/messages",
        {"authorization": f"Bearer {cloud.token}"},
    )
    text = {"to": "55", "type": "text", "text": {"body": "Hello"}}
    typing = {"status": "read", "message_id": "m", "typing_indicator": {"type": "text"}}
    replies = [httpx.post(url, headers=headers, json=body) for body in (text, text, typing)]

    assert [reply.status_code for reply in replies] == [429, 200, 200]
    assert replies[0].json()["error"]["code"] == 130429
    assert (cloud.texts, cloud.presences[0].shown) == (["Hello"], "typing")
