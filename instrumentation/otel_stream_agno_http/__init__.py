"""Traces runs of Agno's agents and teams that are asked for over HTTP, by whatever library."""

from __future__ import annotations

from otel_stream.http.instrumentor import HttpInstrumentor
from otel_stream_agno_http.interest import AgentRuns

__all__ = ["AgnoHttpInstrumentor"]


class AgnoHttpInstrumentor(HttpInstrumentor):
    """Looks for requests that run an agent; Agno itself is on the other side."""

    def _watcher(self) -> AgentRuns:
        return AgentRuns()
