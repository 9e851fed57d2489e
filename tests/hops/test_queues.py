"""Queues whose items bring the context of who put them."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
from typing import Any

import pytest
from opentelemetry import trace

import otel_stream
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.testing import Captured, ScriptedClock
from tests.hops.places import aside, here, holders, within

pytestmark = pytest.mark.sdk_matrix  # wrapt, too, has an oldest version
KINDS: list[Any] = [queue.Queue, queue.SimpleQueue, queue.LifoQueue, queue.PriorityQueue]


def put_all(items: Any, turns: list[Turn]) -> None:
    """Each turn puts its number."""
    for number, turn in enumerate(turns):
        with within(turn):
            items.put((number, "item"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_item_has_its_own(turns: list[Turn], kind: Any) -> None:
    """Whatever queue it is: a worker is in the turn of the item that it has taken."""
    items = otel_stream.carrying(kind())
    put_all(items, turns)

    def work() -> list[tuple[int, Any, list[int]]]:
        found = []
        for _ in turns:
            number, _ = items.get()
            found.append((number, turn_in(), holders(turns)))
        with contextlib.suppress(queue.Empty):
            items.get_nowait()
        return [*found, (-1, turn_in(), holders(turns))]

    *found, after = aside(work)

    assert all(turn is turns[number] for number, turn, _ in found)
    assert [sum(holders) for _, _, holders in found] == [3, 2, 1]
    assert after == (-1, None, [0, 0, 0])


def test_priorities(turns: list[Turn]) -> None:
    """Items are ordered as they are, also beside those that were there before it was wrapped."""
    plain: Any = queue.PriorityQueue()
    plain.put((1, "before"))
    items = otel_stream.carrying(plain)
    for turn, item in zip(turns, [(2, "a"), (0, "b"), (3, "c")], strict=True):
        with within(turn):
            items.put(item)
    taken = [(items.get(), turn_in()) for _ in range(4)]
    items.task_done()

    assert taken == [
        ((0, "b"), turns[1]),
        ((1, "before"), None),
        ((2, "a"), turns[0]),
        ((3, "c"), turns[2]),
    ]


def test_is_a_queue(turns: list[Turn]) -> None:
    """It is what it was: its type, its size, its join."""
    items = otel_stream.carrying(queue.Queue(maxsize=2))
    items.put(1)
    items.put_nowait(2)
    facts = (isinstance(items, queue.Queue), items.qsize(), items.full(), items.maxsize)
    for _ in range(2):
        items.get(timeout=1)
        items.task_done()
    items.join()

    assert facts == (True, 2, True, 2)
    with pytest.raises(queue.Empty):
        items.get(block=False)


def test_done_with(turns: list[Turn]) -> None:
    """`task_done` lets the turn go before whoever joins the queue goes on."""
    items = otel_stream.carrying(queue.Queue())
    put_all(items, turns[:1])
    items.get()
    inside = turn_in()
    items.task_done()
    items.join()

    assert (inside, turn_in(), holders(turns)) == (turns[0], None, [0, 0, 0])


def test_what_has_no_task_done() -> None:
    """A queue without it has none with us."""
    assert not hasattr(otel_stream.carrying(queue.SimpleQueue()), "task_done")


def test_full(turns: list[Turn]) -> None:
    """An item that finds no room holds nothing."""
    items: Any = otel_stream.carrying(queue.Queue(maxsize=1))
    items.put("first")
    with within(turns[0]):
        with pytest.raises(queue.Full):
            items.put_nowait("second")
        with pytest.raises(queue.Full):
            items.put("third", timeout=0.01)

    assert holders(turns) == [0, 0, 0]


def test_dropped_with_the_queue(turns: list[Turn]) -> None:
    """What nobody takes lets go with the queue."""
    items = otel_stream.carrying(queue.Queue())
    put_all(items, turns)
    before = holders(turns)
    del items

    assert (before, holders(turns)) == ([1, 1, 1], [0, 0, 0])


def test_a_worker_that_ends(turns: list[Turn]) -> None:
    """A thread that takes an item and ends without a word lets go."""
    items = otel_stream.carrying(queue.Queue())
    put_all(items, turns)
    thread = threading.Thread(target=items.get)
    thread.start()
    thread.join()
    del thread

    assert holders(turns) == [0, 1, 1]


def test_two_queues(turns: list[Turn]) -> None:
    """A worker of two queues is in the turn that it took last, and each goes on by itself."""
    first, second = (otel_stream.carrying(queue.Queue()) for _ in range(2))
    put_all(first, [turns[0], turns[2]])
    put_all(second, [turns[1]])

    def work() -> list[Any]:
        seen = []
        for items in (first, second):
            items.get()
            seen.append(turn_in())
        first.task_done()
        seen.append(turn_in())
        first.get()
        seen.append(turn_in())
        second.task_done()
        seen.append(turn_in())
        first.task_done()
        return [*seen, turn_in()]

    assert aside(work) == [turns[0], turns[1], turns[1], turns[2], turns[2], None]
    assert holders(turns) == [0, 0, 0]


def test_a_span_around_get(turns: list[Turn]) -> None:
    """A span that is closed around `get` takes the item's turn away, and never comes back."""
    items: Any = otel_stream.carrying(queue.Queue())
    put_all(items, turns)
    base = trace.get_current_span()

    def work() -> list[Any]:
        seen = []
        for turn in turns:
            with within(turn):
                items.get()
            seen.append(here())
            items.task_done()
            seen.append(here())
        return seen

    assert aside(work) == [(None, base)] * 6
    assert holders(turns) == [0, 0, 0]


def test_done_inside_a_span(turns: list[Turn]) -> None:
    """A worker that says so inside a span of its own is in nobody's turn while it waits."""
    items: Any = otel_stream.carrying(queue.Queue())
    put_all(items, turns)

    def work() -> list[Any]:
        seen = []
        for _ in turns:
            items.get()
            with within(turns[2]):
                items.task_done()
                seen.append(turn_in())
        with contextlib.suppress(queue.Empty):
            items.get(timeout=0.001)
        return [*seen, turn_in()]

    assert aside(work) == [turns[2], turns[2], turns[2], None]


def test_waits(turns: list[Turn], captured: Captured, clock: ScriptedClock) -> None:
    """Each item has waited since it was put."""
    items = otel_stream.carrying(queue.Queue())
    put_all(items, turns)
    for _ in turns:
        clock.advance(1.0)
        items.get()
    items.task_done()
    waited = [
        (span.attributes or {})["otel_stream.delivery.queue_wait"]
        for span in captured.spans("wait whatsapp")
    ]

    assert waited == [1.0, 2.0, 3.0]
    assert [turn.queue_wait for turn in turns] == [1.0, 2.0, 3.0]


def test_of_processes(captured: Captured) -> None:
    """A queue to other processes is refused: a context cannot go there."""
    items = multiprocessing.get_context("spawn").Queue()
    with pytest.raises(TypeError, match="a queue of this process"):
        otel_stream.carrying(items)
    items.close()
    items.join_thread()


def test_the_shape_of_a_service(captured: Captured) -> None:
    """Many webhooks, a queue, workers: every turn is let go, in its own thread, and all end."""
    items: Any = otel_stream.carrying(queue.Queue())
    wrong: list[Any] = []

    def work() -> None:
        while (turn := items.get()) is not None:
            if turn_in() is not turn:
                wrong.append(turn)
            turn.hold(works=True)
            turn.release()
            items.task_done()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for _ in range(500):
        turn = Turn("whatsapp", {})
        turn.hold()
        with within(turn):
            items.put(turn)
        turn.release()
    items.join()
    for _ in workers:
        items.put(None)
    for each in workers:
        each.join()

    assert (wrong, captured.open_spans(), len(captured.spans("process whatsapp"))) == ([], [], 500)
