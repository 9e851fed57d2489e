"""pywa, sync and async: messages of all types, refusals, the tracker, typing."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import pywa_async
from pywa.errors import WhatsAppError
from pywa.types import Button

from otel_stream.delivery.identity import hidden, hidden_id
from otel_stream.testing import Captured, CloudServer, Script

from .conftest import Sent
from .talks import FLAVOURS, Talk

pytestmark = [pytest.mark.sdk_matrix, pytest.mark.otel_stream(grace=0.0)]


def test_text(talk: Talk, cloud: CloudServer, sent: Sent, number: str) -> None:
    """A text is one CLIENT span; its id is hidden, for a number is in it."""
    result = talk("send_message", number, "Olá")
    span = sent()

    assert result.id == cloud.messages[0].id
    assert span.kind.name == "CLIENT"
    assert dict(span.attributes or {}) == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.message.id": hidden_id(result.id),
        "messaging.message.body.size": 4,
        "otel_stream.delivery.kind": "text",
        "otel_stream.delivery.recipient": hidden(number),
        "otel_stream.delivery.attempts": 1,
        "otel_stream.delivery.status": "accepted",
        "otel_stream.channel.instance": hidden(cloud.phone_id),
        "server.address": "127.0.0.1",
        "server.port": cloud.port,
    }


@pytest.mark.parametrize(
    ("method", "args", "kind", "size"),
    [
        ("send_image", ("https://example.com/a.png", "Look"), "media", 4),
        ("send_document", ("https://example.com/a.pdf",), "media", None),
        ("send_audio", ("https://example.com/a.ogg",), "audio", None),
        ("send_sticker", ("https://example.com/a.webp",), "sticker", None),
        ("send_reaction", ("👍", "wamid.x"), "reaction", 4),
        ("send_location", (1.5, 2.5, "Home"), "location", None),
    ],
)
def test_types(
    method: str,
    args: tuple[Any, ...],
    kind: str,
    size: int | None,
    talk: Talk,
    sent: Sent,
    number: str,
) -> None:
    """What is sent is told by its type."""
    names = {"send_document": {"filename": "a.pdf"}}.get(method, {})
    talk(method, number, *args, **names)
    found = sent().attributes or {}

    assert (found["otel_stream.delivery.kind"], found.get("messaging.message.body.size")) == (
        kind,
        size,
    )


def test_interactive(talk: Talk, sent: Sent, number: str) -> None:
    """A text with buttons is another type, and says something all the same."""
    talk("send_message", number, "Yes?", buttons=[Button("Yes", "y"), Button("No", "n")])
    found = sent().attributes or {}

    assert found["otel_stream.delivery.kind"] == "interactive"
    assert found["messaging.message.body.size"] == 4


@pytest.mark.parametrize("method", ["send_message", "send_marketing_message"])
def test_templates(
    method: str, talk: Talk, cloud: CloudServer, sent: Sent, captured: Captured, number: str
) -> None:
    """Templates go out by two ways."""
    handle = cloud.handler
    assert handle is not None

    def handler(request: Any) -> Script:
        request.path = request.path.replace("marketing_messages", "messages")
        return handle(request)

    cloud.handler = handler
    template = {"name": "hello", "language": {"code": "pt_BR"}}

    def send(client: Any) -> Any:
        from inspect import signature

        said = {"sender": cloud.phone_id, "to": number, "typ": "template", "msg": template}
        given = {**said, "template": template, "recipient": None, "recipient_type": "individual"}
        send = getattr(client.api, method)
        return send(**{n: v for n, v in given.items() if n in signature(send).parameters})

    talk.run(send)

    assert (sent().attributes or {})["otel_stream.delivery.kind"] == "template"


@pytest.mark.parametrize(("status", "code"), [(400, 100), (401, 190), (429, 130429), (500, 131000)])
def test_refusals(
    status: int, code: int, talk: Talk, cloud: CloudServer, sent: Sent, number: str
) -> None:
    """pywa's error reaches the program, and the span has its number but none of its words."""
    cloud.refuse(status, f"{number} is not on WhatsApp")
    with pytest.raises(WhatsAppError) as raised:
        talk("send_message", number, "Hi")
    span = sent()
    found = span.attributes or {}

    assert (raised.value.code, raised.value.status_code) == (code, status)
    assert (found["error.type"], found["http.response.status_code"]) == (str(code), status)
    assert (found["otel_stream.delivery.status"], span.events) == ("failed", ())
    assert number not in span.to_json()


@pytest.mark.parametrize("ending", ["reset", "cut"])
def test_a_lost_connection(
    ending: Any, talk: Talk, cloud: CloudServer, sent: Sent, number: str
) -> None:
    """Nobody knows: the error is told by its class."""
    cloud.lose(ending)
    with pytest.raises(httpx.TransportError) as raised:
        talk("send_message", number, "Hi")

    error = type(raised.value)
    assert (sent().attributes or {})["error.type"] == f"{error.__module__}.{error.__qualname__}"


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_time_out(flavour: str, cloud: CloudServer, sent: Sent, number: str) -> None:
    """Who gives up waiting has a failed message."""
    cloud.accept(after=5)
    with pytest.raises(httpx.ReadTimeout):
        Talk(flavour, cloud, timeout=0.1)("send_message", number, "Hi")

    assert (sent().attributes or {})["error.type"] == "httpx.ReadTimeout"


async def test_cancellation(cloud: CloudServer, sent: Sent, number: str) -> None:
    """A task that is cancelled while it sends is cancelled as ever."""
    cloud.accept(after=5)
    async with httpx.AsyncClient(trust_env=False) as session:
        client = pywa_async.WhatsApp(cloud.phone_id, cloud.token, session=session)
        session.base_url = httpx.URL(cloud.graph_url)
        task = asyncio.create_task(client.send_message(number, "Hi"))
        await asyncio.to_thread(cloud.wait_for_requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert (sent().attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"


def test_wrong_arguments(talk: Talk, captured: Captured) -> None:
    """A call that cannot be is the library's to refuse."""
    with pytest.raises(TypeError, match="telepathy"):
        talk.run(lambda client: client.api.send_message(telepathy=True))

    assert captured.spans() == []


def test_a_reply_without_an_id(talk: Talk, cloud: CloudServer, sent: Sent, number: str) -> None:
    """A reply that names no message has accepted none; what pywa makes of it is its own."""
    cloud.accept(body={"success": False})
    with pytest.raises((KeyError, IndexError, TypeError)):
        talk("send_message", number, "Hi")

    assert (sent().attributes or {})["error.type"] == "no_id"
