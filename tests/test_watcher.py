"""One thread that looks at all open streams, and sleeps when there is none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_stream.outcome import Outcome
from otel_stream.testing import ScriptedClock
from otel_stream.watcher import watcher

NAME = "otel-stream-watcher"


def threads() -> list[threading.Thread]:
    """The watching threads."""
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture
def awake(make: Any) -> Iterator[Any]:
    """An open stream that the watcher knows."""
    recorder = make(watched=True)
    yield recorder
    recorder.close()


def test_one_thread(make: Any) -> None:
    """However many streams there are, one daemon thread watches them."""
    recorders = [make(watched=True) for _ in range(20)]
    found = threads()
    for recorder in recorders:
        recorder.close()

    assert len(found) == 1
    assert found[0].daemon


def test_asleep_without_streams(make: Any, eventually: Any) -> None:
    """When no stream is open the thread waits without a time-out, and the next stream wakes it."""
    make(watched=True).close()
    slept = eventually(lambda: watcher._idle)
    recorder = make(watched=True)
    woken = eventually(lambda: not watcher._idle)
    recorder.close()

    assert (slept, woken) == (True, True)


def test_looks_in_time(make: Any, clock: ScriptedClock, heard: Any, eventually: Any) -> None:
    """A stall is told while it lasts, by the thread itself."""
    recorder = make(watched=True, first=0.01)
    recorder.reading_since = since = clock.advance(1.0)
    clock.advance(0.02)
    told = eventually(lambda: ("stalled", since) in heard.told)
    recorder.close()

    assert told


def test_looks_at_all(make: Any, clock: ScriptedClock) -> None:
    """A look ends what is due, and says how long nothing can happen."""
    recorders = [make(watched=True, grace=grace) for grace in (0.25, 0.75, 60.0)]
    for recorder in recorders:
        recorder.leave(Outcome.CLOSED_EARLY)
    sleep = watcher.look(clock())
    watcher.look(clock() + 0.75)
    ended = [recorder.ended for recorder in recorders]
    recorders[2].close()

    assert (sleep, ended) == (0.25, [True, True, False])


def test_stream_that_fails(make: Any, clock: ScriptedClock, lenient: None, awake: Any) -> None:
    """A stream that cannot be looked at does not keep the others from being looked at."""
    broken = make(watched=True)
    clockwork, broken.clock = broken.clock, None
    awake.leave(Outcome.CLOSED_EARLY)
    watcher._open = {id(broken): broken, **watcher._open}
    clock.advance(1.0)
    watcher.look()
    broken.clock = clockwork
    broken.close()

    assert awake.ended


def test_removed(make: Any) -> None:
    """A stream that has ended is forgotten."""
    recorder = make(watched=True)
    before = watcher.open
    recorder.close()

    assert (before, watcher.open) == ([recorder], [])


def test_end_all(make: Any) -> None:
    """At the end of the process open streams are abandoned; a left loop is what it is."""
    recorder, left = make(watched=True), make(watched=True)
    left.leave(Outcome.CLOSED_EARLY)
    watcher.end_all(Outcome.ABANDONED)

    assert (recorder.outcome, left.outcome) == (Outcome.ABANDONED, Outcome.CLOSED_EARLY)


def test_soon_is_now() -> None:
    """Outside of the garbage collector `soon` is at once."""
    done: list[int] = []
    watcher.soon(lambda: done.append(threading.get_ident()))

    assert done == [threading.get_ident()]


def in_a_child(check: Callable[[], bool]) -> bool:
    """Whether *check* holds in a forked child."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_forgets(awake: Any, heard: Any) -> None:
    """A child forgets its parent's streams, and tells nobody of them; the parent goes on."""

    def check() -> bool:
        awake.close()
        return watcher.open == [] and awake.outcome is None and heard.told == []

    assert in_a_child(check)
    assert watcher.open == [awake]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_watches(awake: Any, make: Any, eventually: Any) -> None:
    """A child watches streams of its own, with a thread of its own."""

    def check() -> bool:
        recorder = make(watched=True, grace=0.0)
        recorder.leave(Outcome.CLOSED_EARLY)
        return len(threads()) == 1 and eventually(lambda: recorder.ended)

    assert in_a_child(check)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_thread_cannot_start(make: Any, lenient: None) -> None:
    """Where no thread can be started the stream is told all the same; the next one tries again."""

    def check() -> bool:
        start, threading.Thread.start = threading.Thread.start, _refuse
        make(watched=True)
        threading.Thread.start = start
        without = threads()
        make(watched=True)
        return without == [] and len(threads()) == 1 and len(watcher.open) == 2

    assert in_a_child(check)


def _refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
