"""What a message of pywa carries, and one that somebody else sends."""

from __future__ import annotations

import pytest
from opentelemetry import context as otel_context

import otel_stream
from otel_stream.delivery.send import Message
from otel_stream.delivery.send import Send as Sending
from otel_stream.delivery.tracker import sent_of
from otel_stream.testing import Captured, CloudServer

from .conftest import Sent
from .talks import FLAVOURS, Talk

pytestmark = pytest.mark.sdk_matrix


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
