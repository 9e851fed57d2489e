"""The tools at work in a run. While it waits for one of them nobody else is slow."""

from __future__ import annotations

from math import inf
from threading import Lock

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream.record.recorder import Recorder

__all__ = ["AtWork"]

_KEY = otel_context.create_key("otel_stream-agno-at-work")


class AtWork:
    """Counts a run's tools. They may work in several threads at once.

    Args:
        recorder: The run's.
    """

    __slots__ = ("_count", "_lock", "_recorder")

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._count = 0
        self._lock = Lock()

    def within(self, context: Context) -> Context:
        """*context*, in which a tool finds them."""
        return otel_context.set_value(_KEY, self, context)

    @staticmethod
    def here() -> AtWork | None:
        """Those of the run in which the running code is."""
        found = otel_context.get_value(_KEY)
        return found if isinstance(found, AtWork) else None

    def more(self) -> None:
        """Another one begins."""
        with self._lock:
            self._count += 1
            self._recorder.stalls.working_until = inf

    def less(self) -> None:
        """One has ended."""
        with self._lock:
            self._count -= 1
            if not self._count:
                self._recorder.stalls.working_until = self._recorder.clock()
