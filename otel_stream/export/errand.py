"""Calls that may hang, made on a thread of their own, so that nobody waits longer than he likes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from otel_stream.errors import guard

__all__ = ["Errand", "Errands"]


class Errand:
    """One call on its way. `went_well` is what it returned, False while it runs or if it raised."""

    __slots__ = ("_call", "_done", "started", "went_well")

    def __init__(self, call: Callable[[], bool]) -> None:
        self._call = call
        self._done = threading.Event()
        self.started = False
        self.went_well = False

    def run(self) -> None:
        """Make the call."""
        self.started = True
        try:
            with guard("flushing"):
                self.went_well = self._call()
        finally:
            self._done.set()

    def wait(self, deadline: float) -> bool:
        """Wait for the end, at most until `deadline` (`time.monotonic`). Whether it has come."""
        return self._done.wait(max(0.0, deadline - time.monotonic()))


class Errands:
    """A daemon thread that makes calls one after the other.

    It is started at once: CPython from 3.12 on starts no thread while the interpreter ends, which
    is when it is needed most.
    """

    def __init__(self, name: str) -> None:
        self._waiting: SimpleQueue[Errand | None] = SimpleQueue()
        self._flush: Errand | None = None
        self._sending = threading.Lock()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def send(self, call: Callable[[], bool]) -> Errand:
        """Hand over a call."""
        errand = Errand(call)
        self._waiting.put(errand)
        return errand

    def send_once(self, call: Callable[[], bool]) -> Errand:
        """Hand over a call, unless one that was handed over so has not begun yet: then that one.

        However often somebody gives up waiting for a call that hangs, at most two are on their way.
        """
        with self._sending:
            if self._flush is None or self._flush.started:
                self._flush = self.send(call)
            return self._flush

    def stop(self) -> None:
        """End the thread when it has made the calls that wait."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (errand := self._waiting.get()) is not None:
            errand.run()
