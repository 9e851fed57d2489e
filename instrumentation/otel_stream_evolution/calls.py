"""The requests that are Evolution's: messages, one span each, and typing, one span a stretch."""

from __future__ import annotations

from otel_stream.http.exchange import Exchange, Request
from otel_stream_evolution.endpoint import PRESENCE, endpoint_of

__all__ = ["Calls"]


class Calls:
    """An `Interest` in requests to Evolution servers. Which servers those are, the paths say.

    What follows from such a request is imported with the first one: most programs send none.
    """

    def watch(self, request: Request) -> Exchange | None:
        """Begin a message or note typing, if the request is one."""
        endpoint = endpoint_of(request.path)
        if endpoint is None or request.method != "POST":
            return None
        if endpoint.kind == PRESENCE:
            from otel_stream_evolution.presence import show

            return show(endpoint.instance, request)
        from otel_stream_evolution.sending import begin

        return begin(endpoint, request)
