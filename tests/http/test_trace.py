"""The trace of a request: current while it is sent, and on the wire when the exchange asks."""

from __future__ import annotations

import logging

import aiohttp
import httpx
import httpx2
import pytest
import requests
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_stream.http import Request, unwatch_http, watch_http
from otel_stream.testing import ProviderServer, Script

from .clients import Client
from .conftest import Noted, Watching

TRACE = "0af7651916cd43dd8448eb211c80319c"
CONTEXT = trace.set_span_in_context(
    NonRecordingSpan(SpanContext(int(TRACE, 16), 0xB7AD6B7169203331, False, TraceFlags(1)))
)


class Propagating(Noted):
    """Wants its trace to go out with the request."""

    context = CONTEXT
    propagates = True


@pytest.mark.sdk_matrix
async def test_trace_goes_out(client: Client, server: ProviderServer) -> None:
    """An exchange that asks for it has its trace on the wire, and the request stays as it was."""
    interest = Watching(Propagating)
    watch_http(interest)
    server.script("/run", Script.json({}))
    _, _, kept = await client.post(f"{server.url}/run", {"q": 1})
    unwatch_http(interest)

    assert server.request.headers["traceparent"].split("-")[1] == TRACE
    assert ("traceparent" in {name.lower() for name in kept}) == (client.name == "aiohttp")


async def test_no_trace_goes_out_unasked(
    client: Client, server: ProviderServer, watching: Watching
) -> None:
    """The headers of a request are its own, unless the exchange asks."""
    server.script("/run", Script.json({}))
    await client.post(f"{server.url}/run", {})

    assert "traceparent" not in server.request.headers


async def test_trace_of_the_application(server: ProviderServer) -> None:
    """A trace that the application has set itself stays, and so do the caller's own headers."""
    interest = Watching(Propagating)
    watch_http(interest)
    server.script("/run", Script.json({}), 4)
    url, headers = f"{server.url}/run", {"TraceParent": "mine"}
    httpx.get(url, headers=headers)
    httpx2.get(url, headers=headers)
    requests.get(url, headers=headers, timeout=5)
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers):
        unwatch_http(interest)

    assert [one.headers["traceparent"] for one in server.requests] == ["mine"] * 4
    assert headers == {"TraceParent": "mine"}


async def test_each_hop_carries_its_own_trace(client: Client, server: ProviderServer) -> None:
    """What was added to one hop of a redirect is not taken for the application's on the next."""
    contexts = [CONTEXT, otel_context.Context()]

    class Hop(Propagating):
        def __init__(self, request: Request) -> None:
            super().__init__(request)
            self.context = contexts.pop(0)

    interest = Watching(Hop)
    watch_http(interest)
    server.script("/old", Script([], 307, {"location": "/run"}))
    server.script("/run", Script.json({}))
    await client.post(f"{server.url}/old", {})
    unwatch_http(interest)

    assert ["traceparent" in one.headers for one in server.requests] == [True, False]


async def test_context_while_sending(client: Client, server: ProviderServer) -> None:
    """The exchange's context is current where the request is sent, and not in the application."""
    current: list[int] = []

    class Seeing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            current.append(trace.get_current_span().get_span_context().trace_id)

    seeing, interest = Seeing(), Watching(Propagating)
    watch_http(interest)
    loggers = [logging.getLogger(name) for name in ("httpcore", "httpcore2", "urllib3", "asyncio")]
    for logger in loggers:
        logger.addHandler(seeing)
        logger.setLevel(logging.DEBUG)
    server.script("/run", Script.json({}))
    try:
        await client.post(f"{server.url}/run", {})
    finally:
        unwatch_http(interest)
        for logger in loggers:
            logger.removeHandler(seeing)
            logger.setLevel(logging.NOTSET)

    assert trace.get_current_span().get_span_context().trace_id == 0
    assert int(TRACE, 16) in current or client.name == "aiohttp"
