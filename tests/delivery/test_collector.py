"""A garbage collector at work all the time: destructors may run anywhere, and nothing locks up."""

from __future__ import annotations

import gc
import queue
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import otel_stream
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.typing import typing
from otel_stream.testing import Captured
from tests.delivery.bodies import evolution, record, update


@pytest.fixture
def often() -> Iterator[None]:
    """The collector runs every few objects."""
    before = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    yield
    gc.set_threshold(*before)


def in_a_cycle(*things: Any) -> None:
    """Drop them so that only the collector finds them."""
    kept: list[Any] = list(things)
    kept.append(kept)


def webhooks(items: Any, numbers: range) -> None:
    """People write, and their messages go into a queue."""
    for number in numbers:
        body = evolution(record(number=str(5511900000000 + number), identity=f"M{number}"))
        with otel_stream.process_webhook(body):
            items.put(number)
            in_a_cycle(otel_stream.carry())


def work(items: Any) -> None:
    """They are answered."""
    while (number := items.get()) is not None:
        person = str(5511900000000 + number)
        typing.shown(person, 1.0)
        for part in range(2):
            Send(Message(recipient=person)).accepted(f"{number}-{part}")
            otel_stream.record_delivery_status(update(f"{number}-{part}", "READ"))
        in_a_cycle(Send(Message(recipient=person)), otel_stream.carried(print))
        typing.stopped(person)
        items.task_done()


@pytest.mark.otel_stream(grace=0.05)
def test_many_conversations(captured: Captured, often: None, eventually: Any) -> None:
    """Webhooks, a queue, workers, and things dropped everywhere: each turn ends once, and whole."""
    items: Any = otel_stream.carrying(queue.Queue())
    workers = [threading.Thread(target=work, args=(items,)) for _ in range(4)]
    doors = [threading.Thread(target=webhooks, args=(items, range(n, 200, 4))) for n in range(4)]
    for each in (*workers, *doors):
        each.start()
    for each in doors:
        each.join()
    for _ in workers:
        items.put(None)
    for each in workers:
        each.join()
    gc.collect()
    done = eventually(lambda: not captured.open_spans(), 10.0)
    counted = Counter(span.name for span in captured.spans())
    told = [
        (span.attributes or {})["otel_stream.delivery.messages"]
        for span in captured.spans("process whatsapp")
    ]
    del counted["wait whatsapp"]

    assert (done, told, len(open_turns)) == (True, [3] * 200, 0)
    assert counted == {
        "process whatsapp": 200,
        "send whatsapp": 600,
        "receipt whatsapp": 400,
        "type whatsapp": 200,
    }
