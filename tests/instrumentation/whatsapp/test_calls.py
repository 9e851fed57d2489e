"""Evolution's calls, by each HTTP library: what is sent, to whom, and where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest
import requests
from opentelemetry import context as otel_context

from otel_stream.channel import stream_to_channel
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.send import Message
from otel_stream.delivery.send import Send as Sending
from otel_stream.testing import Captured, EvolutionServer, Script

from .conftest import Send, Sent
from .posts import POSTS

pytestmark = pytest.mark.sdk_matrix

REACTION = {"key": {"remoteJid": "{n}@s.whatsapp.net", "fromMe": False, "id": "3EB0"}}
CALLS: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "sendText": ("text", {"text": "Olá"}, 4),
    "sendMedia": ("media", {"mediatype": "image", "media": "aGk=", "caption": "Look"}, 4),
    "sendPtv": ("media", {"video": "aGk="}, None),
    "sendWhatsAppAudio": ("audio", {"audio": "aGk="}, None),
    "sendSticker": ("sticker", {"sticker": "aGk="}, None),
    "sendContact": ("contact", {"contact": [{"fullName": "Ana"}]}, None),
    "sendReaction": ("reaction", {**REACTION, "reaction": "👍"}, 4),
    "sendLocation": ("location", {"name": "Home", "latitude": 1.5, "longitude": 2.5}, None),
    "sendPoll": ("poll", {"name": "When?", "values": ["now", "later"]}, 5),
    "sendList": ("list", {"title": "t", "description": "Choose"}, 6),
    "sendButtons": ("buttons", {"title": "t", "description": "Press"}, 5),
    "sendStatus": ("status", {"type": "image", "content": "https://…"}, None),
}


def asked(action: str, number: str) -> dict[str, Any]:
    """The body of a call for this person."""
    body = CALLS[action][1]
    if action == "sendReaction":
        return {**body, "key": {**body["key"], "remoteJid": f"{number}@s.whatsapp.net"}}
    return {"number": number, **body}


@pytest.mark.parametrize("library", POSTS)
@pytest.mark.parametrize("action", CALLS)
def test_each_call_by_each_library(
    action: str, library: str, number: str, post: Send, evolution: EvolutionServer, sent: Sent
) -> None:
    """Each way to send is one CLIENT span with the message's id, whatever makes the request."""
    kind, _, size = CALLS[action]
    status, reply = post(f"message/{action}/bot", asked(action, number), library)
    span = sent()
    attributes = {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.message.id": reply["key"]["id"],
        "messaging.message.body.size": size,
        "otel_stream.delivery.kind": kind,
        "otel_stream.delivery.recipient": hidden(number),
        "otel_stream.delivery.attempts": 1,
        "otel_stream.delivery.status": "accepted",
        "otel_stream.channel.instance": "bot",
        "server.address": "127.0.0.1",
        "server.port": evolution.port,
    }

    assert (status, span.kind.name) == (201, "CLIENT")
    assert dict(span.attributes or {}) == {n: v for n, v in attributes.items() if v is not None}


@pytest.mark.parametrize("path", ["evolution/message/sendText/bot", "message/sendText/bot/"])
def test_a_server_behind_a_prefix(path: str, post: Send, sent: Sent, number: str) -> None:
    """A call is known by the end of its path."""
    post(path, {"number": number, "text": "Hi"})

    assert (sent().attributes or {})["otel_stream.channel.instance"] == "bot"


def test_an_instance_by_its_number(evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """An instance named after its number is hidden, one with odd letters is read."""
    evolution.instance = f"loja ç/{number}"
    url = f"{evolution.url}/message/sendText/loja%20%C3%A7%2F{number}"
    POSTS["httpx"](url, headers={"apikey": evolution.api_key}, json={"number": "1", "text": "Hi"})
    instance = str((sent().attributes or {})["otel_stream.channel.instance"])

    assert instance == f"loja ç/{hidden(number)}"


@pytest.mark.parametrize(
    "path",
    [
        "chat/fetchProfile/bot",
        "chat/updateProfilePicture/bot",
        "message/sendNothing/bot",
        "message/sendText",
        "sendText/bot",
        "message/sendText/bot/more",
        "group/sendInvite/bot",
    ],
)
def test_other_calls(path: str, post: Send, captured: Captured, number: str) -> None:
    """What sends no message and shows no typing is none of ours."""
    post(path, {"number": number})

    assert captured.spans() == []


def test_reading_is_no_sending(evolution: EvolutionServer, captured: Captured) -> None:
    """Only a POST sends."""
    requests.get(f"{evolution.url}/message/sendText/bot", timeout=5)

    assert captured.spans() == []


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({"textMessage": {"text": "Four"}, "options": {"delay": 1}}, 4),
        ({"mediaMessage": {"mediatype": "image", "caption": "Three"}}, None),
        ({"text": ["odd"]}, None),
        ({}, None),
    ],
)
def test_bodies_of_v1(
    body: dict[str, Any], size: int | None, post: Send, sent: Sent, number: str
) -> None:
    """Version 1 nests the text; a body of another shape still is a message."""
    post("message/sendText/bot", {"number": f"{number}@s.whatsapp.net", **body})
    attributes = sent().attributes or {}

    assert attributes.get("messaging.message.body.size") == size
    assert attributes["otel_stream.delivery.recipient"] == hidden(number)


@pytest.mark.parametrize("library", ["requests", "httpx", "httpx2", "aiohttp"])
def test_forms(library: str, evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """A form is read as JSON is."""
    evolution.handler = lambda request: accepted(number)
    url, form = f"{evolution.url}/message/sendMedia/bot", {"number": number, "caption": "Look"}
    POSTS[library](url, data=form)

    assert (sent().attributes or {})["messaging.message.body.size"] == 4


@pytest.mark.parametrize("library", ["requests", "httpx", "httpx.async", "httpx2"])
def test_files(library: str, evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """Of a form with a file the person is known, by the reply if the request is streamed."""
    evolution.handler = lambda request: accepted(number)
    url = f"{evolution.url}/message/sendMedia/bot"
    POSTS[library](url, data={"number": number}, files={"file": ("a.png", b"\x89PNG" * 99)})
    attributes = sent().attributes or {}

    assert attributes["otel_stream.delivery.recipient"] == hidden(number)
    assert attributes["otel_stream.delivery.kind"] == "media"


def accepted(number: str) -> Any:
    """A reply that accepts."""
    key = {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": True, "id": "BAE5"}
    return Script.json({"key": key, "status": "PENDING"}, 201)


@pytest.mark.parametrize("counted", [0, 1, 2])
@pytest.mark.parametrize("library", POSTS)
def test_within_a_send(
    library: str, counted: int, post: Send, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """Where somebody sends this message already, calls are requests for it, and counted once."""
    sending = Sending(Message(recipient=number, text="Hi"))
    token = otel_context.attach(sending.context)
    evolution.refuse(503)
    for _ in range(counted):
        sending.attempt()
    for _ in range(2):
        post("message/sendText/bot", {"number": number, "text": "Hi"}, library)
    otel_context.detach(token)
    sending.accepted("BAE5")
    attributes = sent().attributes or {}

    assert attributes["otel_stream.delivery.attempts"] == 2
    assert attributes["server.port"] == evolution.port


class InAnExecutor:
    """A channel of one's own that posts on a thread to which nothing is taken along."""

    system = "whatsapp"

    def __init__(self, server: EvolutionServer) -> None:
        self._url = f"{server.url}/message/sendText/bot"
        self._headers = {"apikey": server.api_key}

    async def send(self, recipient: str, text: str) -> str:
        """One message."""
        body = {"number": recipient, "text": text}
        post = partial(requests.post, self._url, json=body, headers=self._headers, timeout=5)
        reply = await asyncio.get_running_loop().run_in_executor(None, post)
        return str(reply.json()["key"]["id"])

    async def typing(self, recipient: str, seconds: float) -> None:
        """Nothing is shown."""


async def test_a_channel_that_posts_in_an_executor(
    evolution: EvolutionServer, captured: Captured, number: str
) -> None:
    """What lost its context on the way is the same message, by its words."""
    delivery = await stream_to_channel(_two_messages(), InAnExecutor(evolution), number)
    spans = captured.spans("send whatsapp")

    assert [message.status for message in delivery.messages] == ["accepted"] * 2
    assert [(span.attributes or {})["messaging.message.id"] for span in spans] == [
        message.id for message in evolution.messages
    ]


async def _two_messages() -> AsyncIterator[str]:
    yield "How are you?\n\n"
    yield "Fine."


class OnTop(requests.adapters.BaseAdapter):
    """Lets `requests` send by `httpx`."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """One request."""
        headers, url = dict(request.headers), str(request.url)
        reply = httpx.post(url, headers=headers, content=request.body, trust_env=False)
        response = requests.Response()
        response.status_code, response._content = reply.status_code, reply.content
        return response

    def close(self) -> None:
        """Nothing is open."""


def test_one_library_on_top_of_another(evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """A request that passes through two libraries is one message, in one attempt."""
    with requests.Session() as session:
        session.mount("http://", OnTop())
        session.post(
            f"{evolution.url}/message/sendText/bot",
            headers={"apikey": evolution.api_key},
            json={"number": number, "text": "Hi"},
        )
    attributes = sent().attributes or {}

    assert attributes["otel_stream.delivery.attempts"] == 1
    assert attributes["otel_stream.delivery.status"] == "accepted"
