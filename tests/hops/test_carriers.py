"""The trace goes along with work that is handed over by hand."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context

import otel_stream
from otel_stream import errors, hops
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.testing import Captured, ScriptedClock
from tests.conftest import eventually
from tests.hops.places import aside, held, here


def test_by_hand(turn: Turn) -> None:
    """A carrier that is entered on another thread takes turn and span there, and lets go."""
    carrier = otel_stream.carry()
    taken = held(turn)

    def work() -> Any:
        with carrier:
            return here()

    found = aside(work)

    assert found == (turn, turn.span)
    assert (taken, held(turn)) == (1, 0)


def test_waits(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """How long the work has waited is on the turn, and is a span of its own."""
    clock.advance(1.0)
    carrier = otel_stream.carry()
    clock.advance(0.25)
    with carrier:
        clock.advance(5.0)
    with carrier:
        clock.advance(5.0)
    span = captured.span("wait whatsapp")

    assert turn.queue_wait == 0.25
    assert dict(span.attributes or {}) == {
        "messaging.system": "whatsapp",
        "otel_stream.delivery.queue_wait": 0.25,
    }
    assert (span.kind.name, span.parent) == ("INTERNAL", turn.span.get_span_context())
    assert (span.start_time, span.end_time) == (turn.wall(101.0), turn.wall(101.25))


def test_waits_that_do_not_count(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """What is handed on while the answer is under way is no wait, and makes no span."""
    first = otel_stream.carry()
    with first:
        turn.hold(works=True)
        second = otel_stream.carry()
        clock.advance(3.0)
        with second:
            pass
        turn.release()

    assert (turn.queue_wait, captured.spans("wait whatsapp")) == (0.0, [])


def test_dropped_unused(turn: Turn) -> None:
    """A carrier that nobody enters lets go when it is dropped, also by the collector."""
    carrier: Any = otel_stream.carry()
    cycle: list[Any] = [otel_stream.carry()]
    cycle.append(cycle)
    taken = held(turn)
    del carrier, cycle
    gc.collect()

    assert taken == 2
    assert eventually(lambda: turn._holders == 0)


def test_in_several_threads_at_once(turn: Turn) -> None:
    """One carrier in eight threads at a time: each has the context, and the last one lets go."""
    carrier, inside = otel_stream.carry(), threading.Barrier(8)
    found: list[Any] = []

    def work() -> None:
        with carrier:
            inside.wait(5)
            found.append((turn_in() is turn, turn._holders))
            inside.wait(5)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert found == [(True, 8)] * 8
    assert held(turn) == 0


def test_within_itself(turn: Turn) -> None:
    """One carrier within itself, and left in turn."""
    carrier = otel_stream.carry()
    with carrier, carrier:
        taken = held(turn)

    assert (taken, held(turn)) == (2, 0)


def test_what_is_raised_passes(turn: Turn) -> None:
    """An exception passes, and the turn is let go."""
    carrier = otel_stream.carry()
    with pytest.raises(ZeroDivisionError), carrier:
        1 / 0  # noqa: B018

    assert held(turn) == 0


def test_a_generator_that_is_left(turn: Turn) -> None:
    """A generator that is broken off within the block lets go, wherever it is closed."""
    carrier = otel_stream.carry()

    def produce() -> Iterator[int]:
        with carrier:
            yield 1
            yield 2

    def consume() -> bool:
        otel_context.attach({})  # type: ignore[arg-type]
        made = produce()
        next(made)
        elsewhere = threading.Thread(target=made.close)
        elsewhere.start()
        elsewhere.join()
        return True

    thread = threading.Thread(target=consume)
    thread.start()
    thread.join()

    assert held(turn) == 0


def test_a_thread_that_forgets(turn: Turn) -> None:
    """Who enters and never leaves lets go when they are gone."""

    def forgetful(carrier: Any) -> None:
        carrier.__enter__()

    thread = threading.Thread(target=forgetful, args=(otel_stream.carry(),))
    thread.start()
    thread.join()
    del thread

    assert held(turn) == 0


def test_by_the_message(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Where nothing was taken along, a message's id finds its turn, which has waited till then."""
    open_turns.add(turn, "3EB0", "5511999990000")
    clock.advance(2.0)

    def work() -> Any:
        with otel_stream.resume("3EB0"):
            return here()

    found = [aside(work), aside(work)]

    assert found == [(turn, turn.span)] * 2
    assert (turn.queue_wait, held(turn)) == (2.0, 0)


def test_by_a_message_that_nobody_knows(turn: Turn) -> None:
    """The context stays as it is, with or without a turn in it."""
    with otel_stream.resume("unknown"):
        mine = here()

    def work() -> Any:
        with otel_stream.resume("unknown"):
            return turn_in()

    assert (mine[0], aside(work)) == (turn, None)


def test_the_turn_ends_with_the_work(captured: Captured) -> None:
    """The webhook returns at once; the turn ends when the worker is done."""
    turn = Turn("whatsapp", {})
    turn.hold()
    token = otel_context.attach(turn.context)
    carrier = otel_stream.carry()
    otel_context.detach(token)
    turn.release()
    before = turn.ended

    def work() -> None:
        with carrier:
            turn.hold(works=True)
            turn.release()
            assert not turn.ended

    aside(work)

    assert (before, turn.ended) == (False, True)


def test_broken_telemetry(turn: Turn, lenient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be taken along, the work is done all the same."""
    monkeypatch.setattr(hops, "turn_in", None)
    monkeypatch.setattr(hops, "enter", None)
    done = aside(otel_stream.carried(lambda: "done"))
    with otel_stream.carry(), otel_stream.resume("3EB0"):
        pass

    assert done == "done"
    assert errors.faults["entering a carrier"] == 3


def test_nothing_is_patched() -> None:
    """Using all of it leaves threads, pools, queues and loops as they were."""
    code = """
import asyncio, queue, threading, concurrent.futures as futures
places = [vars(threading.Thread), vars(futures.ThreadPoolExecutor), vars(queue.Queue),
          vars(asyncio.Queue), vars(asyncio), vars(asyncio.tasks), vars(threading)]
before = [dict(each) for each in places]
import otel_stream
otel_stream.carrying(queue.Queue()).put(1)
thread = threading.Thread(target=otel_stream.carried(print))
thread.start()
thread.join()
with otel_stream.carry(), otel_stream.resume("x"), otel_stream.process_webhook({}):
    pass
print([dict(each) == old for each, old in zip(places, before)])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split("\n")[-2] == str([True] * 7)
