"""Stores of messages on their way: bounded, atomic, and shared by processes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_stream
from otel_stream.delivery import sql
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.sent import DeliveryStore, Sent
from otel_stream.delivery.sql import SQLStore
from otel_stream.delivery.status import Status
from otel_stream.delivery.store import MemoryStore
from otel_stream.testing import Captured
from tests.delivery.bodies import NUMBER, update
from tests.delivery.conftest import database

SENT = Sent(trace_id=2**128 - 1, span_id=7, flags=1, system="whatsapp", accepted_at=time.time())
ANOTHER = Sent(trace_id=8, span_id=9, flags=0, system="sms", accepted_at=1.5)
MARKED = """
import sys
from otel_stream.delivery.sql import SQLStore
from otel_stream.delivery.status import Status
store = SQLStore(sys.argv[1])
sys.stdin.readline()
print([number for number in range(50) if store.mark(f"ID{number}", Status.READ)])
store.close()
"""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[DeliveryStore]:
    """Each store."""
    if request.param == "memory":
        yield MemoryStore()
        return
    made = SQLStore(database(request.param, request))
    yield made
    made.close()


def test_keeps_messages(store: DeliveryStore) -> None:
    """What is put is found as it was, and the first that was put stays."""
    store.put("ID1", SENT)
    store.put("ID1", ANOTHER)
    store.put("\ud800'; --", ANOTHER)

    assert store.find("ID1") == SENT
    assert store.find("\ud800'; --") == ANOTHER
    assert store.find("ID2") is None


def test_news_is_news_once(store: DeliveryStore) -> None:
    """Each status of a message that is kept is news once, in any order; others never."""
    store.put("ID1", SENT)
    told = [Status.READ, Status.DELIVERED, Status.READ, Status.FAILED, Status.SENT, Status.SENT]

    assert [store.mark("ID1", each) for each in told] == [True, True, False, True, True, False]
    assert store.mark("ID2", Status.READ) is False


def test_of_many_threads_one_has_news(store: DeliveryStore) -> None:
    """Of threads that mark the same status at once, one has news."""
    store.put("ID1", SENT)
    go, news = threading.Barrier(8), []

    def mark() -> None:
        go.wait()
        news.append(store.mark("ID1", Status.READ))

    threads = [threading.Thread(target=mark) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(news) == [False] * 7 + [True]


def test_memory_is_bounded() -> None:
    """The oldest messages make room, and marking makes none."""
    store = MemoryStore(size=100)
    for number in range(1_000):
        store.put(f"ID{number}", SENT)
        store.mark(f"forged-{number}", Status.READ)

    assert len(store) == 100
    assert (store.find("ID899"), store.find("ID900")) == (None, SENT)


def test_of_many_processes_one_has_news(opened: Callable[[], SQLStore], address: str) -> None:
    """Of two processes that are told the same, each message's news goes to one."""
    mine = opened()
    for number in range(50):
        mine.put(f"ID{number}", SENT)
    others = [
        subprocess.Popen(
            [sys.executable, "-c", MARKED, address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    told = [each.communicate("go\n", timeout=60)[0] for each in others]
    news = [number for each in told for number in json.loads(each)]

    assert sorted(news) == list(range(50))
    assert not mine.mark("ID7", Status.READ)


def test_one_sends_and_another_is_told(opened: Callable[[], SQLStore]) -> None:
    """Who is told finds the trace of who has sent."""
    opened().put("ID1", SENT)

    assert opened().find("ID1") == SENT


def test_made_at_once_by_many(opened: Callable[[], SQLStore]) -> None:
    """Processes that start together all find the table, whoever makes it."""
    stores, go, failed = [opened() for _ in range(8)], threading.Barrier(8), []

    def begin(store: SQLStore) -> None:
        go.wait()
        try:
            store.put("ID1", SENT)
        except Exception as error:  # noqa: BLE001 - whatever it is
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(each,)) for each in stores]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failed == []


def test_no_id_is_kept(opened: Callable[[], SQLStore], address: str) -> None:
    """The database holds no id: a channel's may have a number in it."""
    store = opened()
    store.put(f"true_{NUMBER}@c.us_3EB0", SENT)
    row = store._connection.execute("SELECT * FROM otel_stream_deliveries").fetchone()

    assert NUMBER not in str(row)


def test_old_rows_go(opened: Callable[[], SQLStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of a month ago are forgotten."""
    opened().put("ID1", ANOTHER)
    monkeypatch.setattr(sql, "_BETWEEN_PRUNINGS", 0.0)
    store = opened()
    store.put("ID2", SENT)
    store.put("ID3", SENT)

    assert (store.find("ID1"), store.find("ID2")) == (None, SENT)


def test_a_connection_that_is_closed(opened: Callable[[], SQLStore]) -> None:
    """One that was lost is opened anew, and nothing is."""
    store = opened()
    store.put("ID1", SENT)
    store._connection.close()

    assert store.find("ID1") == SENT


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_connects_anew(opened: Callable[[], SQLStore]) -> None:
    """A child shares no connection with its parent, and both go on."""
    store = opened()
    store.put("ID1", SENT)
    child = os.fork()
    if child == 0:
        found = store.find("ID1") == SENT and store.mark("ID1", Status.SENT)
        store.close()
        os._exit(0 if found else 1)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert [store.mark("ID1", each) for each in (Status.SENT, Status.READ)] == [False, True]


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """A path that leads nowhere is said to whoever uses the store."""
    store = SQLStore(f"sqlite:{tmp_path}/none/deliveries.db")
    with pytest.raises(sqlite3.OperationalError):
        store.put("ID1", SENT)


def test_as_a_setting(captured: Captured, send: Any, address: str) -> None:
    """Given as a setting, statuses find their message through it."""
    import dataclasses

    current = otel_stream.runtime.current()
    current.settings = dataclasses.replace(current.settings, delivery_store=address)
    send().accepted("ID1")
    for status in ("DELIVERY_ACK", "READ", "READ"):
        otel_stream.record_delivery_status(update("ID1", status))
    drained = receipts.drain(20.0)
    receipts._close()
    spans = captured.spans("receipt whatsapp")

    assert drained
    assert [(span.attributes or {})["otel_stream.delivery.status"] for span in spans] == [
        "delivered",
        "read",
    ]
