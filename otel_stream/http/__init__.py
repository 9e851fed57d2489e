"""A passive tap on httpx, httpx2, requests and aiohttp, for whoever wants to see a request.

    class Runs:
        def watch(self, request: Request) -> Exchange | None:
            return Run(request) if request.path.endswith("/runs") else None

    runs = Runs()
    watch_http(runs)        # what the program sends from now on is offered to `runs.watch`
    unwatch_http(runs)      # the libraries are as they were

`exchange` has the words, `interests` who wants to see what, and each library a file of its own.
None of the libraries is imported here: one that the program has not imported is wrapped when it is.
"""

from __future__ import annotations

from otel_stream.http.exchange import Exchange, Interest, Request
from otel_stream.http.interests import unwatch_http, watch_http

__all__ = ["Exchange", "Interest", "Request", "unwatch_http", "watch_http"]
