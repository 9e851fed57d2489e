"""The queue and the thread behind the callbacks."""

from __future__ import annotations

import os
import threading
import time
import weakref

import pytest

from otel_stream.callbacks import Dispatcher


def test_order() -> None:
    """Events are told in the order in which they happened, from one thread as from another."""
    notes: list[int] = []
    dispatcher = Dispatcher(10_000)
    for number in range(5000):
        dispatcher.call(notes.append, number)

    assert dispatcher.drain(5.0)
    assert notes == list(range(5000))


def test_drain_in_time() -> None:
    """Waiting for the callbacks takes no longer than it may."""
    dispatcher, release = Dispatcher(1), threading.Event()
    for _ in range(3):
        dispatcher.call(lambda _: release.wait(30.0), None)
    started = time.monotonic()
    drained = dispatcher.drain(0.05)
    release.set()

    assert not drained
    assert time.monotonic() - started < 2.0


def test_nothing_to_drain() -> None:
    """Without events there is nothing to wait for."""
    assert Dispatcher(1).drain(0.0)


def test_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as when the interpreter ends, `drain` calls what waits."""
    notes: list[int] = []

    async def note(number: int) -> None:
        notes.append(number)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    dispatcher = Dispatcher(10)
    dispatcher.call(notes.append, 1)
    dispatcher.call(note, 2)

    assert dispatcher.drain(5.0)
    assert notes == [1, 2]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork() -> None:
    """A child begins with an empty queue and a thread of its own."""
    notes: list[int] = []
    dispatcher, release = Dispatcher(10), threading.Event()
    dispatcher.call(lambda _: release.wait(30.0), None)
    dispatcher.call(notes.append, 1)
    child = os.fork()
    if child == 0:
        dispatcher.call(notes.append, 2)
        os._exit(0 if dispatcher.drain(5.0) and notes == [2] else 1)
    status = os.waitpid(child, 0)[1]
    release.set()

    assert os.waitstatus_to_exitcode(status) == 0
    assert dispatcher.drain(5.0)
    assert notes == [1]


def test_forgotten() -> None:
    """A dispatcher of which nobody knows any more is not kept by the fork hook."""
    gone = weakref.ref(Dispatcher(1))

    assert gone() is None
