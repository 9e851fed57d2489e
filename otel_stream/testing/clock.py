"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading

__all__ = ["ScriptedClock"]


class ScriptedClock:
    """Monotonic seconds, to be given wherever a `clock` is asked for. Safe in threads.

        clock = ScriptedClock()
        clock.advance(0.25)
        assert clock() == 100.25

    Args:
        start: The first time (s). Not 0, so that a time and "never" cannot be mixed up.
        step: How far each reading moves the clock (s), after it was read.
    """

    def __init__(self, start: float = 100.0, step: float = 0.0) -> None:
        self._now = start
        self._step = step
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time now (s)."""
        with self._lock:
            now = self._now
            self._now += self._step
        return now

    def advance(self, seconds: float) -> float:
        """Move the clock on. Returns the new time. Raises `ValueError` for a step back."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not go back (asked for {seconds} s)")
        with self._lock:
            self._now += seconds
            return self._now
