"""Traces messages and typing that go to the Evolution API, whoever makes the request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from otel_stream.http.interests import missing_http, unwatch_http, watch_http
from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches
from otel_stream_evolution.calls import Calls

__all__ = ["EvolutionInstrumentor"]


class EvolutionInstrumentor(StreamInstrumentor):
    """Looks at requests of `httpx`, `httpx2`, `requests` and `aiohttp`, whichever are imported.

    Evolution's client libraries all use one of these, and most programs post by hand; some of the
    libraries go past their own client too. Below them all is one place that sees every call.
    """

    _interest: Calls | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: what is not imported makes no requests."""
        return ()

    def missing(self) -> list[str]:
        """What the HTTP libraries that are imported lack of what is to be wrapped."""
        return missing_http()

    def _wrap(self, patches: Patches) -> None:
        self._interest = Calls()
        watch_http(self._interest)

    def _uninstrument(self, **kwargs: Any) -> None:
        if self._interest is not None:
            unwatch_http(self._interest)
            self._interest = None
        super()._uninstrument(**kwargs)
