"""Carrying everywhere: only when asked for, for as long as asked, and undone exactly."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import context as otel_context

import otel_stream
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.testing import Captured
from tests.hops.places import held


def originals() -> list[Any]:
    """What is wrapped."""
    return [
        threading.Thread.start,
        concurrent.futures.thread.ThreadPoolExecutor.submit,
        asyncio.run_coroutine_threadsafe,
        asyncio.tasks.run_coroutine_threadsafe,
    ]


@pytest.fixture
def everywhere() -> Iterator[None]:
    """Carrying everywhere, for this test."""
    with otel_stream.carry_everywhere():
        yield


def test_exactly_undone() -> None:
    """Undone, everything is the very object that it was; twice is once."""
    before = originals()
    undo = otel_stream.carry_everywhere()
    during = originals()
    undo()
    undo()

    assert all(now is not then for now, then in zip(during, before, strict=True))
    assert all(now is then for now, then in zip(originals(), before, strict=True))


def test_as_long_as_anybody_wants_it() -> None:
    """Asked for twice it lasts until both have had enough, and wraps once."""
    before = originals()
    with otel_stream.carry_everywhere():
        once = originals()
        with otel_stream.carry_everywhere():
            twice = originals()
        still = originals()

    assert once == twice == still
    assert originals() == before


def test_threads(everywhere: None, turn: Turn) -> None:
    """A thread has the context of who started it, and its turn until it ends."""
    found: list[Any] = []

    class Own(threading.Thread):
        def run(self) -> None:
            found.append((turn_in(), held(turn)))

    threads = [threading.Thread(target=lambda: found.append((turn_in(), held(turn)))), Own()]
    for thread in threads:
        thread.start()
        thread.join()

    assert found == [(turn, 1)] * 2
    assert [vars(thread).get("run") for thread in threads] == [None, None]
    assert held(turn) == 0


def test_pools(everywhere: None, turn: Turn) -> None:
    """Work of a pool has the context, and the pool's threads do not keep it."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(turn_in).result(), list(pool.map(lambda _: turn_in(), "ab"))
        kept = held(turn)
        token = otel_context.attach({})  # type: ignore[arg-type]
        after = pool.submit(turn_in).result()
        otel_context.detach(token)

    assert (found, kept, after) == ((turn, [turn, turn]), 0, None)


@pytest.mark.parametrize("named", [True, False])
def test_loops(everywhere: None, turn: Turn, named: bool) -> None:
    """A coroutine on a loop of another thread, by name or not; what is none is refused as ever."""

    async def work() -> Any:
        await asyncio.sleep(0)
        return turn_in()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    call = asyncio.run_coroutine_threadsafe
    found = (call(coro=work(), loop=loop) if named else call(work(), loop)).result(5)
    with pytest.raises(TypeError):
        call(None, loop)  # type: ignore[arg-type]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

    assert found is turn


def test_run_in_executor(everywhere: None, turn: Turn) -> None:
    """So does what a loop hands to its pool."""

    async def main() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, turn_in)

    assert asyncio.run(main()) is turn


def test_nothing_to_carry(everywhere: None, captured: Captured) -> None:
    """Where nothing is current, nothing is done to a thread."""
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(vars(thread).get("run")))
    thread.start()
    thread.join()

    assert seen == [None]


def test_a_thread_that_cannot_start(everywhere: None, turn: Turn) -> None:
    """One that is started twice says so as ever, and holds nothing."""
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="started once"):
        thread.start()

    assert (vars(thread).get("run"), held(turn)) == (None, 0)


def test_what_a_thread_raises(
    everywhere: None, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception reaches the thread's hook as ever, and the turn is let go."""
    raised: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: raised.append(told.exc_type))
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

    assert (raised, held(turn)) == ([ZeroDivisionError], 0)


def test_what_is_no_work(everywhere: None, turn: Turn) -> None:
    """A pool that is given nothing to call behaves as ever."""
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(TypeError):
            pool.submit()  # type: ignore[call-arg]
        failed = pool.submit(None).exception()  # type: ignore[arg-type]

    assert isinstance(failed, TypeError)


def test_generators(everywhere: None, turn: Turn) -> None:
    """A generator function gives a pool its generator, as ever."""

    def words() -> Iterator[str]:
        yield "Hello"

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(words).result()

    assert (list(made), held(turn)) == (["Hello"], 0)


def test_broken_telemetry(
    everywhere: None, turn: Turn, lenient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be taken along, threads start and pools work all the same."""
    from otel_stream import everywhere as module

    monkeypatch.setattr(module, "Carrier", None)
    monkeypatch.setattr(module, "carried", None)
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(done.append, 2).result()

    assert done == [1, 2]
