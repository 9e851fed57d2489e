"""Trace and span ids that count, so that a test can name them."""

from __future__ import annotations

import itertools

from opentelemetry.sdk.trace.id_generator import IdGenerator

__all__ = ["CountingIds"]


class CountingIds(IdGenerator):
    """Gives the ids 1, 2, 3, … to traces, and 1, 2, 3, … to spans. Safe in threads."""

    def __init__(self) -> None:
        self._traces = itertools.count(1)
        self._spans = itertools.count(1)

    def generate_trace_id(self) -> int:
        """The next trace id."""
        return next(self._traces)

    def generate_span_id(self) -> int:
        """The next span id."""
        return next(self._spans)
