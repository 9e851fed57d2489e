"""pywa, sync and async: messages of all types, refusals, the tracker, typing."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import httpx
import pytest
import pywa_async
from opentelemetry import context as otel_context
from pywa.errors import WhatsAppError
from pywa.types import Button

import otel_stream
from otel_stream.delivery.identity import hidden, hidden_id
from otel_stream.delivery.send import Message
from otel_stream.delivery.send import Send as Sending
from otel_stream.delivery.tracker import sent_of
from otel_stream.testing import Captured, CloudServer, Script

from .conftest import Sent
from .talks import FLAVOURS, Talk

pytestmark = [pytest.mark.sdk_matrix, pytest.mark.otel_stream(grace=0.0)]


@pytest.fixture(params=FLAVOURS)
def talk(request: pytest.FixtureRequest, cloud: CloudServer) -> Talk:
    """A client of each flavour."""
    return Talk(request.param, cloud)


def wamid(number: str) -> str:
    """A message's id as the Cloud API makes them: the person's number is in it."""
    said = b"\x1c\x18" + bytes([len(number)]) + number.encode() + b"\x15\x02\x00\x12\x18\x163EB0C7"
    return "wamid." + b64encode(said).decode().rstrip("=")


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


# --- the tracker --------------------------------------------------------------------------------

TRACKER = "biz_opaque_callback_data"


def test_nothing_is_added(talk: Talk, cloud: CloudServer, number: str, captured: Captured) -> None:
    """By default a message carries nothing of ours."""
    talk("send_message", number, "Hi")

    assert TRACKER not in cloud.messages[0].payload


@pytest.mark.otel_stream(delivery_tracker=True)
def test_a_tracker_of_ours(talk: Talk, cloud: CloudServer, sent: Sent, number: str) -> None:
    """Where that is wanted, a message carries its trace, and statuses bring it back."""
    talk("send_message", number, "Hi")
    carried = sent_of(cloud.messages[0].payload[TRACKER])
    context = sent().context

    assert carried is not None
    assert context is not None
    assert (carried.trace_id, carried.span_id) == (context.trace_id, context.span_id)
    assert len(cloud.messages[0].payload[TRACKER]) <= 512


@pytest.mark.otel_stream(delivery_tracker=True)
def test_a_tracker_of_the_program(
    talk: Talk, cloud: CloudServer, number: str, captured: Captured
) -> None:
    """The program's own tracker stays."""
    talk("send_message", number, "Hi", tracker="mine")

    assert cloud.messages[0].payload[TRACKER] == "mine"


@pytest.mark.otel_stream(delivery_tracker=True)
def test_the_status_of_a_tracked_message(
    talk: Talk, cloud: CloudServer, captured: Captured, number: str
) -> None:
    """A status joins the message's trace by what it carried, whoever knows the id."""
    talk("send_message", number, "Hi")
    status = {
        "id": f"wamid.{number}",
        "status": "read",
        TRACKER: cloud.messages[0].payload[TRACKER],
    }
    change = {"field": "messages", "value": {"statuses": [status]}}
    otel_stream.record_delivery_status({"entry": [{"changes": [change]}]})
    sent, told = captured.span("send whatsapp"), captured.span("receipt whatsapp")

    assert told.parent is not None
    assert sent.context is not None
    assert told.parent.span_id == told.links[0].context.span_id == sent.context.span_id


# --- one that is sent already --------------------------------------------------------------------


def test_within_a_send(talk: Talk, captured: Captured, number: str) -> None:
    """Where somebody sends this message already, pywa's calls are requests for it."""
    sending = Sending(Message(recipient=number, text="Hi"))
    token = otel_context.attach(sending.context)
    result, _ = (talk("send_message", number, "Hi") for _ in range(2))
    otel_context.detach(token)
    sending.accepted(result.id)

    found = captured.span().attributes or {}
    assert found["otel_stream.delivery.attempts"] == 2
    assert found["server.address"] == "127.0.0.1"


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_suppressed(flavour: str, cloud: CloudServer, captured: Captured, number: str) -> None:
    """Inside `suppress()` nothing is recorded, and the message goes out."""
    with otel_stream.suppress():
        Talk(flavour, cloud)("send_message", number, "Hi")

    assert (len(cloud.messages), captured.spans()) == (1, [])


# --- typing -------------------------------------------------------------------------------------


def webhook(number: str) -> dict[str, Any]:
    """The webhook of a person's message, with an id that holds no number."""
    message = {"from": number, "id": f"wamid.{number}", "type": "text", "text": {"body": "Hello?"}}
    value = {"messages": [message], "metadata": {"phone_number_id": "1"}}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}


def test_typing_in_a_turn(talk: Talk, captured: Captured, number: str) -> None:
    """Typing, and the message that ends it, are spans of the turn that they answer."""
    with otel_stream.process_webhook(webhook(number)):
        talk("indicate_typing", f"wamid.{number}")
        talk("send_message", number, "Hi")
    captured.wait_for_spans(3)
    turn, typed, message = (
        captured.span(f"{name} whatsapp") for name in ("process", "type", "send")
    )

    assert typed.parent == message.parent == turn.context
    assert (typed.attributes or {})["otel_stream.delivery.recipient"] == hidden(number)
    assert (message.attributes or {})["otel_stream.delivery.typing_time"] > 0
    assert (typed.end_time or 0) <= (turn.end_time or 0)


def test_typing_by_the_id(talk: Talk, captured: Captured, number: str) -> None:
    """Without a turn, the person is in the message's id; the message takes the typing's place."""
    talk("indicate_typing", wamid(number))
    talk("send_message", number, "Hi")

    assert [span.name for span in captured.spans()] == ["send whatsapp", "type whatsapp"]
    assert (captured.spans()[1].attributes or {})["otel_stream.delivery.recipient"] == hidden(
        number
    )


@pytest.mark.parametrize("message_id", ["wamid.!", "wamid.HBgLMTIzNA", "3EB0", "wamid." + "A" * 3])
def test_typing_for_nobody(message_id: str, talk: Talk, captured: Captured) -> None:
    """An id that nobody knows, and in which no number is, is no typing that could be told."""
    assert talk("indicate_typing", message_id)
    assert captured.spans() == []


def test_typing_that_fails(talk: Talk, cloud: CloudServer, captured: Captured, number: str) -> None:
    """What the Cloud API refuses is not shown."""
    cloud.handler = lambda request: Script.json({"error": {"code": 190, "message": "no"}}, 401)
    with pytest.raises(WhatsAppError):
        talk("indicate_typing", wamid(number))

    assert captured.spans() == []


def test_read_receipts(talk: Talk, captured: Captured, number: str) -> None:
    """To mark a message as read is neither typing nor a message."""
    talk("mark_message_as_read", wamid(number))

    assert captured.spans() == []
