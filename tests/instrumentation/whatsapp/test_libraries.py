"""Evolution's client libraries, as their users call them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pydantic
import pytest
from evolutionapi.client import EvolutionClient
from evolutionapi.models.message import (
    LocationMessage,
    MediaMessage,
    ReactionMessage,
    TextMessage,
)
from pyevolutionapi import EvolutionClient as PyEvolutionClient
from pyevolutionapi.exceptions import EvolutionAPIError, ValidationError

from otel_stream.delivery.identity import hidden
from otel_stream.testing import Captured, EvolutionServer, Script

from .conftest import KEY, Sent

pytestmark = pytest.mark.sdk_matrix


class Presence:
    """What `evolutionapi` takes for a presence: anything with these attributes."""

    def __init__(self, number: str, presence: str) -> None:
        self.number, self.presence, self.delay = number, presence, 15_000


@pytest.fixture
def official(evolution: EvolutionServer) -> EvolutionClient:
    """A client of `evolutionapi`."""
    return EvolutionClient(evolution.url, KEY)


@pytest.fixture
def third(evolution: EvolutionServer) -> Iterator[PyEvolutionClient]:
    """A client of `pyevolutionapi`."""
    with PyEvolutionClient(evolution.url, api_key=KEY) as client:
        yield client


def about(sent: Sent) -> tuple[Any, ...]:
    """Kind, person, fate and id of the only message."""
    found = sent().attributes or {}
    return tuple(
        found.get(name)
        for name in (
            "otel_stream.delivery.kind",
            "otel_stream.delivery.recipient",
            "otel_stream.delivery.status",
            "messaging.message.id",
        )
    )


def test_official_text(
    official: EvolutionClient, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """`send_text` is one accepted message, and its reply is what it always was."""
    reply = official.messages.send_text("bot", TextMessage(number, "Hi"), KEY)

    assert reply["key"]["id"] == evolution.messages[0].id
    assert about(sent) == ("text", hidden(number), "accepted", reply["key"]["id"])


def test_official_does_not_raise(
    official: EvolutionClient, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """The library returns a refusal as if it were a reply; the span tells the truth."""
    evolution.refuse(400)
    reply = official.messages.send_text("bot", TextMessage(number, "Hi"), KEY)

    assert reply["status"] == 400
    assert about(sent) == ("text", hidden(number), "failed", None)


@pytest.mark.parametrize("file", [None, b"\x89PNG" * 1000])
def test_official_media(
    file: bytes | None,
    official: EvolutionClient,
    evolution: EvolutionServer,
    sent: Sent,
    number: str,
) -> None:
    """Media go past the library's own client, as a form that is streamed: seen all the same."""
    key = {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": True, "id": "BAE5"}
    evolution.handler = lambda request: Script.json({"key": key}, 201)
    message = MediaMessage(number, {}, "image", "Look", "image/png", "a.png")
    stream = io.BytesIO(file) if file else None
    official.messages.send_media("bot", message, KEY, stream)

    assert about(sent) == ("media", hidden(number), "accepted", "BAE5")


def test_official_others(
    official: EvolutionClient, captured: Captured, evolution: EvolutionServer, number: str
) -> None:
    """Reactions and places, whose person stands elsewhere."""
    key = {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": False, "id": "3EB0"}
    official.messages.send_reaction("bot", ReactionMessage(key, "👍"), KEY)
    official.messages.send_location("bot", LocationMessage(number, "n", "a", 1.0, 2.0), KEY)
    found = [span.attributes or {} for span in captured.spans()]

    assert [one["otel_stream.delivery.kind"] for one in found] == ["reaction", "location"]
    assert {one["otel_stream.delivery.recipient"] for one in found} == {hidden(number)}


def test_official_presence(official: EvolutionClient, captured: Captured, number: str) -> None:
    """Typing, shown and stopped."""
    for presence in ("composing", "composing", "paused"):
        official.chat.send_presence("bot", Presence(number, presence), KEY)

    assert (captured.span("type whatsapp").attributes or {})["otel_stream.delivery.attempts"] == 2


def short(number: str) -> dict[str, Any]:
    """A reply that `pyevolutionapi` can read."""
    return {"key": {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": True, "id": "BAE5"}}


def test_third_party_text(
    third: PyEvolutionClient, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """`send_text` of `pyevolutionapi`."""
    evolution.accept(body=short(number))
    reply = third.messages.send_text("bot", number, "Hi")

    assert reply.message_id == "BAE5"
    assert about(sent) == ("text", hidden(number), "accepted", "BAE5")


async def test_third_party_async(evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """`asend_text` of `pyevolutionapi`."""
    evolution.accept(body=short(number))
    async with PyEvolutionClient(evolution.url, api_key=KEY) as client:
        await client.messages.asend_text("bot", number, "Hi")

    assert about(sent) == ("text", hidden(number), "accepted", "BAE5")


def test_third_party_that_cannot_read_the_reply(
    third: PyEvolutionClient, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """The library raises for a reply of Evolution 2: the message was accepted all the same."""
    with pytest.raises(pydantic.ValidationError):
        third.messages.send_text("bot", number, "Hi")

    assert about(sent) == ("text", hidden(number), "accepted", evolution.messages[0].id)


@pytest.mark.parametrize(("status", "error"), [(400, ValidationError), (500, EvolutionAPIError)])
def test_third_party_refusals(
    status: int,
    error: type[Exception],
    third: PyEvolutionClient,
    evolution: EvolutionServer,
    sent: Sent,
    number: str,
) -> None:
    """Its own exceptions reach the program."""
    evolution.refuse(status)
    with pytest.raises(error):
        third.messages.send_text("bot", number, "Hi")

    assert about(sent) == ("text", hidden(number), "failed", None)


def test_third_party_presence(third: PyEvolutionClient, captured: Captured, number: str) -> None:
    """Typing, shown and stopped."""
    for presence in ("composing", "paused"):
        third.chat.send_presence("bot", number, presence)

    assert (captured.span("type whatsapp").attributes or {})["otel_stream.delivery.attempts"] == 1
