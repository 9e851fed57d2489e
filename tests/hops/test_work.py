"""Functions, coroutines and callbacks that take the trace along."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import otel_stream
from otel_stream.delivery.turn import Turn
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from tests.conftest import eventually
from tests.hops.places import aside, held, here


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


def later() -> Any:
    """No coroutine function, and makes a coroutine."""
    return answer(3)


async def answer(*_: Any) -> tuple[Any, Any]:
    """Where a coroutine is after it has waited."""
    await asyncio.sleep(0)
    return here()


@pytest.mark.parametrize(
    "given",
    [
        lambda: otel_stream.carried(answer()),
        lambda: otel_stream.carried(answer)(1),
        lambda: otel_stream.carried(functools.partial(answer, 1))(2),
        lambda: otel_stream.carried(later)(*()),
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

    assert eventually(lambda: turn._holders == 0)


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


async def words() -> AsyncIterator[str]:
    yield "Hello"


@pytest.mark.parametrize("work", [lambda: (yield), words, functools.partial(words)])
def test_generators(turn: Turn, work: Any) -> None:
    """What does its work where it is read is refused, and says what to do."""
    with pytest.raises(TypeError, match="around the loop that reads it"):
        otel_stream.carried(work)

    assert held(turn) == 0


def test_without_a_turn(captured: Captured) -> None:
    """Any current span goes along, also where nobody has sent a message."""
    with captured.tracer_provider.get_tracer("web").start_as_current_span("GET") as span:
        work = otel_stream.carried(trace.get_current_span)

    assert aside(work) is span


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
