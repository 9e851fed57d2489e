"""Traces runs of Agno's agents and teams that are asked for over HTTP, by whatever library."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from otel_stream.http import unwatch_http, watch_http
from otel_stream.http.interests import LIBRARIES, missing_http
from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches
from otel_stream_agno_http.interest import AgentRuns

__all__ = ["AgnoHttpInstrumentor"]


class AgnoHttpInstrumentor(StreamInstrumentor):
    """Watches the requests of httpx, httpx2, requests and aiohttp for those that run an agent."""

    any_of = tuple(LIBRARIES)
    _runs = AgentRuns()

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: an HTTP library that is absent is not wrapped, and Agno is on the other side."""
        return ()

    def _wrap(self, patches: Patches) -> None:
        """Nothing of its own is wrapped: `otel_stream.http` does that."""

    def missing(self) -> list[str]:
        """What the HTTP libraries lack that are imported and wrapped."""
        return missing_http()

    def _instrument(self, **kwargs: Any) -> None:
        super()._instrument(**kwargs)
        watch_http(self._runs)

    def _uninstrument(self, **kwargs: Any) -> None:
        unwatch_http(self._runs)
        super()._uninstrument(**kwargs)
