"""The trace goes along: threads, pools, loops, and work that is handed over by hand."""

from __future__ import annotations

import asyncio
import functools
import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace

import otel_stream
from otel_stream import errors, hops
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher


@pytest.fixture
def turn(captured: Captured, clock: ScriptedClock) -> Iterator[Turn]:
    """A turn that is current, at 100 s; afterwards the context must be as it was."""
    before = otel_context.get_current()
    made = Turn("whatsapp", {}, clock=clock)
    token = otel_context.attach(made.context)
    yield made
    left = otel_context.get_current()
    otel_context.detach(token)
    made.drop(Outcome.ABANDONED)
    assert left is made.context
    assert otel_context.get_current() is before


def held(turn: Turn) -> int:
    """How many hold it."""
    gc.collect()
    return turn._holders


def aside(act: Callable[[], Any]) -> Any:
    """What *act* returns on another thread, whose context must be as it was afterwards."""
    found: list[Any] = []

    def run() -> None:
        before = otel_context.get_current()
        found.append(act())
        found.append(otel_context.get_current() is before)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found[-1], "the thread's context was left changed"
    return found[0]


def here() -> tuple[Any, Any]:
    """The turn and the span that are current."""
    return turn_in(), trace.get_current_span()


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
    assert _eventually(lambda: turn._holders == 0)


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


def test_functions(turn: Turn) -> None:
    """A function for a thread keeps its name, its result, and its context however often."""
    work = otel_stream.carried(here)
    found = [aside(work), aside(work), work()]

    assert found == [(turn, turn.span)] * 3
    assert work.__name__ == "here"
    del work
    assert held(turn) == 0


def test_pools(turn: Turn) -> None:
    """A pool's thread has the context for that work only."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(otel_stream.carried(here)).result()
        after = pool.submit(here).result()

    assert found == (turn, turn.span)
    assert after == (None, trace.INVALID_SPAN)
    assert held(turn) == 0


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs on a thread of its own, as programs that answer have it."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


async def answer(*_: Any) -> tuple[Any, Any]:
    """Where a coroutine is after it has waited."""
    await asyncio.sleep(0)
    return here()


@pytest.mark.parametrize(
    "given",
    [
        lambda: otel_stream.carried(answer()),
        lambda: otel_stream.carried(answer)(),
        lambda: otel_stream.carried(functools.partial(answer, 1))(),
        lambda: otel_stream.carried(lambda: answer())(),
    ],
)
def test_loops(turn: Turn, loop: asyncio.AbstractEventLoop, given: Callable[[], Any]) -> None:
    """A coroutine, and whatever makes one, on a loop of another thread."""
    found = asyncio.run_coroutine_threadsafe(given(), loop).result(5)

    assert found == (turn, turn.span)
    assert held(turn) == 0


def test_call_soon(turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
    """A callback on a loop of another thread."""
    found: list[Any] = []
    done = threading.Event()
    loop.call_soon_threadsafe(otel_stream.carried(lambda: found.append(here())))
    loop.call_soon_threadsafe(done.set)

    assert done.wait(5)
    assert (found, held(turn)) == ([(turn, turn.span)], 0)


def test_a_task_that_is_cancelled(turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
    """A coroutine that is cancelled lets go, before it runs and while it waits."""

    async def wait() -> None:
        started.set()
        await asyncio.sleep(60)

    started = threading.Event()
    waiting = asyncio.run_coroutine_threadsafe(otel_stream.carried(wait()), loop)
    assert started.wait(5)
    waiting.cancel()

    assert _eventually(lambda: turn._holders == 0)


def test_a_coroutine_that_never_runs(turn: Turn) -> None:
    """One that is closed unrun lets go."""
    inner = answer()
    outer = otel_stream.carried(inner)
    outer.close()
    inner.close()
    del outer, inner

    assert held(turn) == 0


@pytest.mark.parametrize("work", [None, 7, "x", []])
def test_what_is_no_work(turn: Turn, work: Any) -> None:
    """Anything else is refused, and holds nothing."""
    with pytest.raises(TypeError, match="carried\\(\\) expects a function or a coroutine"):
        otel_stream.carried(work)

    assert held(turn) == 0


def test_by_the_message(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Where nothing was taken along, the message's id finds its turn; it has waited since it came."""
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


def test_without_a_turn(captured: Captured) -> None:
    """Any current span goes along, also where nobody has sent a message."""
    with captured.tracer_provider.get_tracer("web").start_as_current_span("GET") as span:
        work = otel_stream.carried(trace.get_current_span)

    assert aside(work) is span


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


def test_a_task_of_ones_own(captured: Captured, clock: ScriptedClock) -> None:
    """Handed to a task without a word, the turn waits its grace, and ends when the task let go."""
    turn = Turn("whatsapp", {}, clock=clock)

    async def work() -> None:
        clock.advance(0.5)
        turn.hold(works=True)
        clock.advance(2.0)
        turn.release()

    async def webhook() -> None:
        turn.hold()
        task = asyncio.create_task(work())
        turn.release()
        await task

    asyncio.run(webhook())
    watcher.look(clock() + 0.9)
    still = turn.ended
    watcher.look(clock.advance(1.1))
    span = captured.span()

    assert still is False
    assert (span.start_time, span.end_time) == (turn.wall(100.0), turn.wall(102.5))


def test_broken_telemetry(
    turn: Turn, lenient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
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
threading.Thread(target=otel_stream.carried(print)).start()
with otel_stream.carry(), otel_stream.resume("x"), otel_stream.process_webhook({}):
    pass
print([dict(each) == old for each, old in zip(places, before)])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split("\n")[-2] == str([True] * 7)


def _eventually(condition: Callable[[], bool]) -> bool:
    from tests.conftest import eventually

    return eventually(condition)
