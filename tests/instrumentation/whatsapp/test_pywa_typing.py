"""Typing over pywa: whose it is, the message that it answers says."""

from __future__ import annotations

import pytest
from pywa.errors import WhatsAppError

import otel_stream
from otel_stream.delivery.identity import hidden
from otel_stream.testing import Captured, CloudServer, Script

from .talks import Talk, wamid, webhook

pytestmark = [pytest.mark.sdk_matrix, pytest.mark.otel_stream(grace=0.0)]


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

    assert [span.name for span in captured.spans()] == ["type whatsapp", "send whatsapp"]
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
