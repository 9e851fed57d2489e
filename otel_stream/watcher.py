"""One thread that looks at all open streams: stalls while they last, the second of grace.

It sleeps while no stream is open. It also ends the streams that the garbage collector drops, since
a destructor may run while the same thread holds a lock of the SDK.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from otel_stream.errors import guard
from otel_stream.fork import call_in_child
from otel_stream.outcome import Outcome

__all__ = ["Watched", "Watcher", "watcher"]

_LONGEST_SLEEP = 1.0


class Watched(Protocol):
    """What is looked at: the recorder of a stream, above all."""

    @property
    def clock(self) -> Callable[[], float]:
        """Its monotonic clock (s)."""

    def check(self, now: float, /) -> float:
        """Look at it, at `now`. Returns when to look again (s)."""

    def drop(self, outcome: Outcome, /) -> None:
        """Nobody needs it any more: end it."""

    def forget(self) -> None:
        """End it and tell nobody: it is the parent process's."""


class Watcher:
    """Knows the open streams. `look` is all it does; `watch` makes a thread do it in time.

    `SimpleQueue.put` may be called from a destructor at any point, which no lock allows.
    """

    def __init__(self) -> None:
        self._open: dict[int, Watched] = {}
        self._dropped: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._idle = False
        self._collecting: int | None = None
        gc.callbacks.append(self._on_collection)
        call_in_child(self._after_fork)

    # --- streams -----------------------------------------------------------------------------

    def add(self, recorder: Watched) -> None:
        """Watch this stream until `remove`."""
        self._open[id(recorder)] = recorder
        if self._thread is None:
            self._start()
        elif self._idle:
            self._dropped.put(None)

    def remove(self, recorder: Watched) -> None:
        """The stream has ended."""
        self._open.pop(id(recorder), None)

    @property
    def open(self) -> list[Watched]:
        """The streams that are open now."""
        return list(self._open.values())

    @property
    def collecting(self) -> bool:
        """Whether the garbage collector is at work on this thread, running destructors."""
        return self._collecting == threading.get_ident()

    def wake(self) -> None:
        """Look at the streams now: one has changed so that its next look comes sooner."""
        self._dropped.put(None)

    def ready(self) -> None:
        """See that somebody is there to do what `soon` puts off, also while no stream is open."""
        if self._thread is None:
            self._start()

    def soon(self, act: Callable[[], None]) -> None:
        """Do `act` now, or on the watching thread if this is a destructor run by the collector."""
        if self.collecting:
            self._dropped.put(act)
        else:
            act()

    def end_all(self, outcome: Outcome) -> None:
        """The process ends: so do all streams that are still open, the newest first.

        What is inside something else has begun after it.
        """
        for recorder in reversed(self.open):
            with guard("ending a stream at exit"):
                recorder.drop(outcome)

    # --- the thread --------------------------------------------------------------------------

    def look(self, now: float | None = None) -> float:
        """Look at every open stream once. Returns how long nothing can happen (s).

        Without `now` each stream is looked at by its own clock.
        """
        sleep = _LONGEST_SLEEP
        for recorder in self.open:
            with guard("watching a stream"):
                moment = recorder.clock() if now is None else now
                sleep = min(sleep, recorder.check(moment) - moment)
        return max(sleep, 0.001)

    def _start(self) -> None:
        with self._starting, guard("starting the watching thread"):
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="otel-stream-watcher", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while True:
            sleep = self.look()
            self._idle = not self._open
            # A stream may have come between the look and the mark.
            if self._idle and self._open:
                self._idle = False
                continue
            self._wait(None if self._idle else sleep)

    def _wait(self, sleep: float | None) -> None:
        try:
            act = self._dropped.get(timeout=sleep)
        except Empty:
            return
        if act is not None:
            with guard("ending a dropped stream"):
                act()

    def _on_collection(self, phase: str, info: dict[str, Any]) -> None:
        self._collecting = threading.get_ident() if phase == "start" else None

    def _after_fork(self) -> None:
        """A child process forgets its parent's streams: they end, once, in the parent."""
        for recorder in self.open:
            recorder.forget()
        self._open = {}
        self._dropped = SimpleQueue()
        self._starting = threading.Lock()
        self._thread = None
        self._idle = False


watcher = Watcher()
"""The process's only one."""
