"""The base of instrumentors of a service: they look at requests, whichever library makes them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import Any

from otel_stream.http.exchange import Interest
from otel_stream.http.interests import LIBRARIES, missing_http, unwatch_http, watch_http
from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches

__all__ = ["HttpInstrumentor"]


class HttpInstrumentor(StreamInstrumentor):
    """Watches the requests of httpx, httpx2, requests and aiohttp, whichever are imported."""

    any_of = tuple(LIBRARIES)

    _interest: Interest | None = None

    @abstractmethod
    def _watcher(self) -> Interest:
        """Who is to see the requests."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: what is not imported makes no requests."""
        return ()

    def missing(self) -> list[str]:
        """What the HTTP libraries that are imported lack of what is to be wrapped."""
        return missing_http()

    def _wrap(self, patches: Patches) -> None:
        """Nothing of its own is wrapped: `interests` does that."""
        self._interest = self._watcher()
        watch_http(self._interest)

    def _uninstrument(self, **kwargs: Any) -> None:
        if self._interest is not None:
            unwatch_http(self._interest)
            self._interest = None
        super()._uninstrument(**kwargs)
