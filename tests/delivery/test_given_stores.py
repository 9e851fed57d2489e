"""A store that is given: used off the callers' threads, whatever it does."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

import otel_stream
from otel_stream import errors
from otel_stream.delivery.joining import Joining
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.testing import Captured
from tests.delivery.telling import LATENCY, statuses, told


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
