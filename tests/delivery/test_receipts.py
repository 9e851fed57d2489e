"""What becomes of a message later: once each, on its trace, whatever comes and in what order."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

import otel_stream
from otel_stream import errors, settings
from otel_stream.delivery import receipts as module
from otel_stream.delivery.identity import hidden_id
from otel_stream.delivery.receipts import Joining, receipts
from otel_stream.delivery.send import Send
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.delivery.tracker import tracker_of
from otel_stream.testing import Captured, ScriptedClock
from tests.delivery.bodies import NUMBER, cloud, cloud_status, evolution, update

LATENCY = "otel_stream.delivery.latency"
WAMID = "wamid.HBgNNTUxMTk5OTk5MDAwMBUCABEYEjM0"


def told(status: str, identity: str = "ID1", **more: Any) -> int:
    """Tell a status, as the Cloud API does: now."""
    body = cloud_status(identity, status, **{"timestamp": str(int(time.time())), **more})
    return otel_stream.record_delivery_status(cloud(statuses=[body]))


def statuses(captured: Captured) -> list[Any]:
    """The status of each receipt."""
    spans = captured.spans("receipt whatsapp")
    return [(span.attributes or {})["otel_stream.delivery.status"] for span in spans]


@pytest.fixture
def sent(captured: Captured, send: Any) -> Send:
    """A message that was accepted as `ID1`."""
    message: Send = send()
    message.accepted("ID1")
    return message


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


# --- the tracker ---------------------------------------------------------------------------------


def test_by_tracker(captured: Captured, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that carries its trace is found where no store knows it."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    monkeypatch.setattr(receipts, "_memory", Joining(MemoryStore()))
    for _ in range(2):
        told("delivered", biz_opaque_callback_data=tracker)
    message_span, span = captured.spans()

    assert len(tracker) <= 512
    assert span.links[0].context.span_id == message_span.get_span_context().span_id
    assert captured.point(LATENCY).count == 1


def test_by_tracker_and_store(captured: Captured, send: Any) -> None:
    """Where both know it, it counts once."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    told("delivered", biz_opaque_callback_data=tracker)
    told("delivered", biz_opaque_callback_data=tracker)
    told("read", biz_opaque_callback_data=tracker)

    assert statuses(captured) == ["delivered", "read"]


def test_a_tracker_told_of_other_messages(captured: Captured, send: Any) -> None:
    """A tracker that somebody has seen is good for the one message only."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    for number in range(100):
        told("delivered", f"forged-{number}", biz_opaque_callback_data=tracker)

    assert statuses(captured) == ["delivered"]


@pytest.mark.parametrize(
    "change",
    [
        lambda tracker: tracker[:-1] + "x",
        lambda tracker: tracker.replace("otel1;", "otel1;f", 1),
        lambda tracker: tracker.rpartition(";")[0],
        lambda tracker: "otel1;;;;;;",
        lambda tracker: "otel1;" + "0" * 500,
        lambda tracker: "their own",
        lambda tracker: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        lambda tracker: "\ud800;" * 7,
    ],
)
def test_a_changed_tracker(captured: Captured, send: Any, change: Any) -> None:
    """One that is forged, changed or somebody else's says nothing; the store still does."""
    message = send()
    tracker = change(tracker_of(message.context))
    message.accepted("ID1")
    told("read", "ID2", biz_opaque_callback_data=tracker)
    told("read", "ID1", biz_opaque_callback_data=tracker)

    assert statuses(captured) == ["read"]


def test_a_tracker_of_a_strange_channel(captured: Captured, send: Any) -> None:
    """A channel's name cannot break it; without a trace there is none."""
    tracker = tracker_of(send().context, "what;s;app")

    assert (module.sent_of(tracker) or object()).system == "whatsapp"  # type: ignore[attr-defined]
    assert tracker_of({}) == ""  # type: ignore[arg-type]


# --- a store that is given -----------------------------------------------------------------------


class Slow:
    """A store that takes its time, and notes on which thread."""

    def __init__(self, wait: float = 0.0) -> None:
        self.kept = MemoryStore()
        self.wait = wait

    def put(self, message_id: str, sent: Sent) -> None:
        time.sleep(self.wait)
        self.kept.put(message_id, sent)

    def find(self, message_id: str) -> Sent | None:
        time.sleep(self.wait)
        return self.kept.find(message_id)

    def mark(self, message_id: str, status: Status) -> bool:
        return self.kept.mark(message_id, status)


class Broken:
    """A store that raises, whatever is asked."""

    def put(self, message_id: str, sent: Sent) -> None:
        raise ConnectionError(message_id)

    find: Any = put
    mark: Any = put


@pytest.mark.otel_stream(delivery_store=Slow(0.2))
def test_a_slow_store(captured: Captured, send: Any) -> None:
    """A store is used off the caller's thread: neither the send nor the webhook waits for it."""
    began = time.perf_counter()
    send().accepted("ID1")
    told("read")
    took = time.perf_counter() - began
    drained = receipts.drain(5.0)

    assert took < 0.15
    assert (drained, statuses(captured)) == (True, ["read"])


@pytest.mark.otel_stream(delivery_store=Slow())
def test_flush_waits_for_it(captured: Captured, send: Any) -> None:
    """`flush` writes what was told."""
    send().accepted("ID1")
    told("read")
    otel_stream.flush()

    assert statuses(captured) == ["read"]


@pytest.mark.otel_stream(delivery_store=Slow())
def test_a_store_that_another_process_fills(captured: Captured, send: Any) -> None:
    """A status that came before the other process had put it counts with the next one."""
    store: Any = Slow()
    kept = Joining(store)
    kept.join(Told(message_id="ID2", status=Status.DELIVERED), 100.0)
    store.put("ID2", Sent(trace_id=1, span_id=1, flags=1, system="whatsapp", accepted_at=101.0))
    kept.join(Told(message_id="ID2", status=Status.READ), 103.0)
    latencies = {p.attributes["otel_stream.delivery.status"]: p.sum
                 for p in captured.metrics()[LATENCY]}  # fmt: skip

    assert latencies == {"delivered": 0.0, "read": 2.0}


@pytest.mark.otel_stream(delivery_store=Broken())
def test_a_broken_store(
    captured: Captured, lenient: None, send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that raises is said once a place, and the message is sent all the same."""
    for number in range(3):
        send().accepted(f"ID{number}")
        told("read", f"ID{number}")
    drained = receipts.drain(5.0)
    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]

    assert (drained, len(captured.spans("send whatsapp"))) == (True, 3)
    assert errors.faults["keeping a message that was sent"] == 3
    assert len(lines) == 2


@pytest.mark.otel_stream(delivery_store="postgresql://nobody@127.0.0.1:1/none")
def test_a_store_that_cannot_be_reached(captured: Captured, lenient: None, send: Any) -> None:
    """A database that is not there keeps nobody from their messages."""
    send().accepted("ID1")
    told("read")
    drained = receipts.drain(10.0)

    assert (drained, [span.name for span in captured.spans()]) == (True, ["send whatsapp"])


@pytest.mark.otel_stream(delivery_store=Slow(30.0))
def test_a_store_that_hangs(captured: Captured, send: Any, monkeypatch: Any) -> None:
    """What waits for a store that hangs is bounded, and what finds no room is counted."""
    monkeypatch.setattr(receipts._background, "_size", 10)
    receipts._background._reset()
    store: Any = otel_stream.runtime.current().settings.delivery_store
    for number in range(40):
        send().accepted(f"ID{number}")
    store.wait = 0.0
    dropped = captured.point("otel_stream.events.dropped").value or 0

    assert 28 <= dropped <= 30
