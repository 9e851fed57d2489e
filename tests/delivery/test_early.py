"""Statuses that came before their message: looked for again, a few times, and then counted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_stream import runtime
from otel_stream.delivery.early import Early
from otel_stream.delivery.joining import Joining
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.sql import SQLStore
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from tests.delivery.telling import statuses, told

DROPPED = "otel_stream.events.dropped"
SENT = Sent(trace_id=1, span_id=1, flags=1, system="whatsapp", accepted_at=1_000.0)


def read(message_id: str) -> Told:
    """That a message was read."""
    return Told(message_id=message_id, status=Status.READ)


@pytest.fixture
def shared(
    captured: Captured, clock: ScriptedClock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SQLStore]:
    """Another process's store in the database that is our setting; we go by the scripted clock."""
    import dataclasses

    address = f"sqlite:{tmp_path}/deliveries.db"
    current = runtime.current()
    current.settings = dataclasses.replace(current.settings, delivery_store=address)
    receipts.__init__(clock)  # type: ignore[misc]
    store = SQLStore(address)
    yield store
    store.close()
    receipts._close()


@pytest.fixture
def look(clock: ScriptedClock) -> Callable[[float], None]:
    """After what was told time passes, the watcher looks, and what comes of it is done."""

    def looked(seconds: float) -> None:
        assert receipts.drain(10.0)
        clock.advance(seconds)
        watcher.look()
        assert receipts.drain(10.0)

    return looked


def test_when_it_is_looked_for(clock: ScriptedClock) -> None:
    """After one, five and thirty seconds, and then it is over."""
    early = Early(clock)
    began = clock()
    early.keep(read("ID1"), 1.0)
    looks = []
    while early:
        clock.advance(early.next_look() - clock())
        looks.append((clock() - began, early.due(), early.over()))

    assert looks == [
        (1.0, ["ID1"], []),
        (5.0, ["ID1"], []),
        (30.0, ["ID1"], []),
        (60.0, [], [(read("ID1"), 1.0)]),
    ]


def test_a_look_that_is_late(clock: ScriptedClock) -> None:
    """Looks that were missed are made up for by one."""
    early = Early(clock)
    early.keep(read("ID1"), 1.0)
    clock.advance(12.0)

    assert (early.due(), early.due(), early.next_look() - clock()) == (["ID1"], [], 18.0)


@pytest.mark.parametrize("after", [1.0, 5.0, 30.0, 60.0])
def test_sent_by_another_process(
    captured: Captured, shared: SQLStore, look: Callable[[float], None], after: float
) -> None:
    """A status that overtook what the other process writes counts, with no other status."""
    told("delivered")
    look(after - 0.5)
    shared.put("ID1", SENT)
    before = statuses(captured)
    look(0.5)

    assert (before, statuses(captured)) == ([], ["delivered"])
    assert DROPPED not in captured.metrics()


def test_counted_by_the_clock(
    captured: Captured, shared: SQLStore, look: Callable[[float], None]
) -> None:
    """One that nobody comes for is counted after a minute, and nothing is watched any more."""
    told("delivered")
    told("read")
    look(59.0)
    before, watched = captured.metrics(), receipts in watcher.open
    look(1.0)
    dropped = captured.point(DROPPED)

    assert (DROPPED in before, watched) == (False, True)
    assert (dropped.value, receipts in watcher.open) == (2, False)
    assert dropped.attributes == {"otel_stream.drop.reason": "receipts_unknown"}


def test_counted_without_a_store(captured: Captured, clock: ScriptedClock) -> None:
    """So it is where messages are kept in memory."""
    receipts.__init__(clock)  # type: ignore[misc]
    told("delivered")
    clock.advance(60.0)
    watcher.look()

    assert (captured.point(DROPPED).value, receipts in watcher.open) == (1, False)


@pytest.mark.parametrize("known", [True, False])
def test_the_process_ends(captured: Captured, shared: SQLStore, known: bool) -> None:
    """What still waits at the end is looked for once more, and then counted."""
    told("delivered")
    if known:
        assert receipts.drain(10.0)
        shared.put("ID1", SENT)
    runtime.end_streams()
    drained = receipts.drain(10.0)
    dropped = 0 if known else captured.point(DROPPED).value

    assert (drained, statuses(captured)) == (True, ["delivered"] if known else [])
    assert (dropped, receipts in watcher.open) == (0 if known else 1, False)


def test_no_thread_for_each(captured: Captured, shared: SQLStore) -> None:
    """However many wait, two threads look after them."""
    before = set(threading.enumerate())
    for number in range(200):
        told("read", f"ID{number}")
    assert receipts.drain(10.0)
    new = {each.name for each in set(threading.enumerate()) - before}
    runtime.end_streams()
    receipts.drain(10.0)

    assert new <= {"otel-stream-watcher", "otel-stream-callbacks"}
    assert captured.point(DROPPED).value == 200


def test_room_is_made(captured: Captured, clock: ScriptedClock) -> None:
    """One that makes room for others is looked for once more before it is counted."""
    kept = Joining(MemoryStore(), clock)
    for number in range(1_000):
        kept.join(read(f"ID{number}"), 1.0)
    kept.store.put("ID0", SENT)
    for number in range(2):
        kept.join(read(f"more-{number}"), 1.0)

    assert statuses(captured) == ["read"]
    assert (captured.point(DROPPED).value, len(kept.early)) == (1, 1_000)


def test_a_store_that_breaks_meanwhile(
    captured: Captured, lenient: None, clock: ScriptedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be looked for is counted all the same."""
    kept = Joining(MemoryStore(), clock)
    kept.join(read("ID1"), 1.0)
    monkeypatch.setattr(kept.store, "find", None)
    for _ in range(4):
        clock.advance(30.0)
        kept.look_again()

    assert (captured.point(DROPPED).value, len(kept.early)) == (1, 0)


def test_another_store_is_given(captured: Captured, shared: SQLStore) -> None:
    """What waits in a store that is no longer ours is looked for once more."""
    import dataclasses

    told("delivered")
    assert receipts.drain(10.0)
    shared.put("ID1", SENT)
    current = runtime.current()
    current.settings = dataclasses.replace(current.settings, delivery_store=None)
    told("read", "ID2")
    assert receipts.drain(10.0)

    assert statuses(captured) == ["delivered"]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child(
    captured: Captured, shared: SQLStore, look: Callable[[float], None]
) -> None:
    """What waits in the parent waits there only, and the child looks for its own."""
    told("delivered")
    assert receipts.drain(10.0)
    shared.put("ID1", SENT)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        told("read", "ID2")
        receipts.drain(10.0)
        shared.put("ID2", SENT)
        look(1.0)
        os.write(write_end, repr(statuses(captured)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    in_child = os.read(read_end, 1_000).decode()
    for each in (read_end, write_end):
        os.close(each)
    look(1.0)

    assert (in_child, statuses(captured)) == ("['read']", ["delivered"])
