"""Traces messages and typing that go to the Evolution API, whoever makes the request."""

from __future__ import annotations

from otel_stream.http.instrumentor import HttpInstrumentor
from otel_stream_evolution.calls import Calls

__all__ = ["EvolutionInstrumentor"]


class EvolutionInstrumentor(HttpInstrumentor):
    """Looks below Evolution's client libraries: most programs post by hand, and some of the
    libraries go past their own client too.
    """

    def _watcher(self) -> Calls:
        return Calls()
