"""What becomes of a message later: once each, on its trace, whatever comes and in what order."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

import otel_stream
from otel_stream import settings
from otel_stream.delivery.identity import hidden_id
from otel_stream.delivery.joining import Joining
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.send import Send
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.testing import Captured, ScriptedClock
from tests.delivery.bodies import evolution, update
from tests.delivery.telling import LATENCY, statuses, told

WAMID = "wamid.HBgNNTUxMTk5OTk5MDAwMBUCABEYEjM0"


def test_says_it_all(captured: Captured, send: Any) -> None:
    """A receipt is in the message's trace, with a link to it, and hides its number as it did."""
    send().accepted(WAMID)
    count = told("delivered", WAMID)
    message, span = captured.spans()

    assert count == 1
    assert dict(span.attributes or {}) == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "receipt",
        "messaging.message.id": hidden_id(WAMID),
        "otel_stream.delivery.status": "delivered",
    }
    assert (message.attributes or {})["messaging.message.id"] == hidden_id(WAMID)
    assert (span.name, span.kind.name) == ("receipt whatsapp", "CONSUMER")
    assert span.parent is not None
    assert message.context is not None
    assert span.parent.span_id == span.links[0].context.span_id == message.context.span_id


def test_metrics(captured: Captured, sent: Send) -> None:
    """Each state is counted, and how long it took to be delivered and read."""
    for status in ("sent", "delivered", "read"):
        told(status)
    counted = {
        point.attributes["otel_stream.delivery.status"]: point.value
        for point in captured.metrics()["otel_stream.delivery.messages"]
    }
    measured = {
        point.attributes["otel_stream.delivery.status"]: (point.count, 0 <= point.sum < 5)
        for point in captured.metrics()[LATENCY]
    }

    assert counted == {"accepted": 1, "sent": 1, "delivered": 1, "read": 1}
    assert measured == {"delivered": (1, True), "read": (1, True)}


def test_failed(captured: Captured, sent: Send) -> None:
    """A message that is lost after all is an error, with the channel's code."""
    told("failed", errors=[{"code": 131026, "title": "Message undeliverable"}])
    span = captured.span("receipt whatsapp")

    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "131026"


def test_repeated(captured: Captured, sent: Send) -> None:
    """Channels tell things twice, also by other words: each counts once."""
    for status in ("delivered", "read", "delivered", "played", "read"):
        told(status)

    assert statuses(captured) == ["delivered", "read"]


def test_out_of_order(captured: Captured, sent: Send) -> None:
    """Whatever order they come in."""
    for status in ("read", "sent", "delivered"):
        told(status)

    assert statuses(captured) == ["read", "sent", "delivered"]


def test_of_evolution(captured: Captured, sent: Send) -> None:
    """Evolution's statuses find their message, in a list and alone."""
    otel_stream.record_delivery_status(update("ID1", "DELIVERY_ACK"))
    listed = [{"key": {"id": "ID1", "fromMe": True}, "update": {"status": 4}}]
    otel_stream.record_delivery_status(evolution(listed, "messages.update"))

    assert statuses(captured) == ["delivered", "read"]


def test_before_the_reply(captured: Captured, send: Any) -> None:
    """A status may overtake the reply to the send: it waits for it, and never is before it."""
    message = send()
    told("sent")
    told("delivered")
    told("delivered")
    before = statuses(captured)
    message.accepted("ID1")

    assert (before, statuses(captured)) == ([], ["sent", "delivered"])
    assert captured.point(LATENCY).count == 1
    assert captured.point(LATENCY).sum >= 0.0


def test_late(captured: Captured, sent: Send) -> None:
    """A webhook that comes late tells by the channel's time when it was."""
    at = time.time()
    kept = Joining(MemoryStore())
    accepted = Sent(trace_id=1, span_id=1, flags=1, system="whatsapp", accepted_at=at - 100)
    kept.store.put("ID2", accepted)
    kept.join(Told(message_id="ID2", status=Status.DELIVERED, at=at - 97), at)

    assert captured.point(LATENCY).sum == pytest.approx(4.0)


def test_a_clock_set_back(captured: Captured, sent: Send) -> None:
    """Between two clocks that disagree there is no latency, and none below nothing."""
    kept = Joining(MemoryStore())
    accepted = Sent(trace_id=1, span_id=1, flags=1, system="whatsapp", accepted_at=5_000.0)
    kept.store.put("ID2", accepted)
    kept.join(Told(message_id="ID2", status=Status.DELIVERED), 4_000.0)

    assert statuses(captured) == ["delivered"]
    assert LATENCY not in captured.metrics()


def test_unknown(
    captured: Captured, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statuses of others' messages make no span; they are counted once, and said once."""
    monkeypatch.setattr(settings, "_said", set())
    clock = ScriptedClock()
    kept = Joining(MemoryStore(), clock)
    for round_ in range(3):
        for number in range(10):
            for _ in range(2):
                kept.join(Told(message_id=f"{round_}-{number}", status=Status.READ), 1.0)
        clock.advance(61.0)
    dropped = captured.point("otel_stream.events.dropped")

    assert (captured.spans(), dropped.value) == ([], 20)
    assert dropped.attributes == {"otel_stream.drop.reason": "receipts_unknown"}
    assert len([each for each in caplog.records if "not sent here" in each.message]) == 1


def test_forged(captured: Captured, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ids are forged, no message of ours makes room for them."""
    kept = Joining(MemoryStore(size=100))
    monkeypatch.setattr(receipts, "_memory", kept)
    monkeypatch.setattr(settings, "_said", {"x"})
    for number in range(100):
        send().accepted(f"ID{number}")
    for number in range(20_000):
        kept.join(Told(message_id=f"forged-{number}", status=Status.READ), 1.0)
    for number in range(100):
        told("read", f"ID{number}")

    assert statuses(captured) == ["read"] * 100
    assert (len(kept.early), len(kept.store)) == (1_000, 100)  # type: ignore[arg-type]


def test_forged_for_one_message(captured: Captured, send: Any) -> None:
    """One id that is told again and again keeps its place, and no more than its statuses."""
    clock = ScriptedClock()
    kept = Joining(MemoryStore(), clock)
    for _ in range(1_000):
        for status in Status:
            kept.join(Told(message_id="forged", status=status), 1.0)
        clock.advance(0.05)
    kept.join(Told(message_id="other", status=Status.READ), 1.0)
    clock.advance(30.0)
    kept.join(Told(message_id="another", status=Status.READ), 1.0)

    assert captured.point("otel_stream.events.dropped").value == 5
    assert len(kept.early) == 2


@pytest.mark.otel_stream(sampler=ALWAYS_OFF)
def test_not_sampled(captured: Captured, sent: Send) -> None:
    """A receipt of a trace that is not sampled is counted, and is not in any trace."""
    told("read")

    assert captured.spans() == []
    assert captured.point(LATENCY).count == 1
