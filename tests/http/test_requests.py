"""What is offered, to whom, when, and what goes out on the wire."""

from __future__ import annotations

import gzip
import logging
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import otel_stream
from otel_stream import errors
from otel_stream.http import Exchange, Request, unwatch_http, watch_http
from otel_stream.http.interests import missing_http
from otel_stream.testing import HoldHeaders, ProviderServer, Script, Send

from .clients import Client
from .conftest import Noted, Watching

WRAPPED = [
    (httpx.Client, "_send_single_request"),
    (httpx.AsyncClient, "_send_single_request"),
    (httpx2.Client, "_send_single_request"),
    (httpx2.AsyncClient, "_send_single_request"),
    (requests.Session, "send"),
    (requests.adapters.HTTPAdapter, "build_response"),
    (aiohttp.ClientSession, "_request"),
    (aiohttp.BaseConnector, "connect"),
    (aiohttp.ClientResponse, "start"),
]
TRACE = "0af7651916cd43dd8448eb211c80319c"
CONTEXT = trace.set_span_in_context(
    NonRecordingSpan(SpanContext(int(TRACE, 16), 0xB7AD6B7169203331, False, TraceFlags(1)))
)


class Propagating(Noted):
    """Wants its trace to go out with the request."""

    context = CONTEXT
    propagates = True


class Broken(Exchange):
    """Raises in everything."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("the exchange is broken")


@pytest.mark.sdk_matrix
@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_compressed(
    encoding: str, encode: Any, client: Client, server: ProviderServer, watching: Watching
) -> None:
    """Watchers get plain bytes of a compressed body."""
    data = encode(b"data: hello\n\n" * 100)
    steps = [Send(data[:10]), Send(data[10:])]
    server.script("/run", Script(steps, headers={"content-encoding": encoding}))
    _, body, _ = await client.post(f"{server.url}/run", {})

    assert body == b"".join(watching.one.pieces) == b"data: hello\n\n" * 100
    assert watching.one.end == "finished"


@pytest.mark.sdk_matrix
async def test_redirects(client: Client, server: ProviderServer, watching: Watching) -> None:
    """Each hop of a redirect is a request of its own."""
    server.script("/old", Script([Send(b"moved")], 307, {"location": "/run"}))
    server.script("/run", Script.json({"text": "hello"}))
    await client.post(f"{server.url}/old", {"q": 1})

    hops = [(one.request[:2], one.status) for one in watching.all]
    assert hops == [(("POST", "/old"), 307), (("POST", "/run"), 200)]
    assert [one.end for one in watching.all] in (["finished"] * 2, ["closed", "finished"])


async def test_hop_that_is_not_wanted(
    client: Client, server: ProviderServer, watching: Watching
) -> None:
    """Of a redirect one hop may be wanted and the other not."""
    watching.wants = lambda path: path == "/run"
    server.script("/old", Script([Send(b"moved")], 307, {"location": "/run"}))
    server.script("/run", Script.json({"text": "hello"}))
    await client.post(f"{server.url}/old", {"q": 1})

    assert (watching.one.request[1], watching.one.end) == ("/run", "finished")
    assert b"".join(watching.one.pieces) == b'{"text": "hello"}'


async def test_suppressed(client: Client, server: ProviderServer, watching: Watching) -> None:
    """What is not to be traced is not offered."""
    server.script("/run", Script.json({}))
    with otel_stream.suppress():
        await client.post(f"{server.url}/run", {})

    assert watching.all == []


async def test_first_interest(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A request that two want is seen by the first, and what the first refuses by the second."""
    second = Watching()
    watch_http(second)
    watching.wants = lambda path: path == "/run"
    server.script(None, Script.json({}), 2)
    await client.post(f"{server.url}/run", {})
    await client.post(f"{server.url}/other", {})
    unwatch_http(second)

    assert (watching.one.request[1], second.one.request[1]) == ("/run", "/other")


@pytest.mark.sdk_matrix
async def test_broken_exchange(client: Client, server: ProviderServer, lenient: None) -> None:
    """An exchange that raises in everything changes nothing for the application."""
    interest = Watching(Broken)
    watch_http(interest)
    pieces = [b"one", b"two"]
    server.script("/run", Script.stream(pieces, every=0.01), 2)
    try:
        got = await client.exhaust(f"{server.url}/run")
        status, body, _ = await client.post(f"{server.url}/run", {})
    finally:
        unwatch_http(interest)

    assert (got, status, body) == (pieces, 200, b"onetwo")
    assert sum(errors.faults.values()) > 4


async def test_broken_interest(client: Client, server: ProviderServer, lenient: None) -> None:
    """An interest that raises is passed over, and the next one asked."""

    class Raising:
        def watch(self, request: Request) -> None:
            raise RuntimeError

    raising, second = Raising(), Watching()
    watch_http(raising)
    watch_http(second)
    server.script("/run", Script.json({}))
    try:
        await client.post(f"{server.url}/run", {})
    finally:
        unwatch_http(raising)
        unwatch_http(second)

    assert second.one.end == "finished"


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


async def test_waits(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A wait is the time from the read to the bytes, and bytes come when the server sends them."""
    steps = [HoldHeaders(0.05), Send(b"one"), *Script.stream([b"two"], first_after=0.1).steps]
    server.script("/run", Script(steps))
    await client.exhaust(f"{server.url}/run")
    sent = [time for time, _ in server.request.sent]
    late = [got - at for got, at in zip(watching.one.times, sent, strict=True)]

    assert 0.08 < watching.one.waits[1] < 0.2
    assert all(0 <= lag < 0.05 for lag in late)


@pytest.mark.sdk_matrix
def test_unwatched() -> None:
    """The libraries are as they were when nobody watches any more."""
    before = [vars(owner)[name] for owner, name in WRAPPED]
    interest, second = Watching(), Watching()
    watch_http(interest)
    watch_http(interest)
    watch_http(second)
    wrapped = [vars(owner)[name] for owner, name in WRAPPED]
    unwatch_http(interest)
    still = [vars(owner)[name] for owner, name in WRAPPED]
    missing = missing_http()
    unwatch_http(second)

    assert [vars(owner)[name] for owner, name in WRAPPED] == before
    assert not any(one is two for one, two in zip(before, wrapped, strict=True))
    assert (still, missing) == (wrapped, [])


def ran(program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of its own."""
    paths = [str(Path(otel_stream.__file__).parents[1])]
    code = f"import sys; sys.path[:0] = {paths!r}\n" + textwrap.dedent(program)
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.sdk_matrix
def test_imported_later() -> None:
    """A library that is imported after the first interest is wrapped then; none is imported by us,
    and one that is imported when nobody watches is left alone."""
    done = ran("""
        import otel_stream
        from otel_stream.http import watch_http, unwatch_http
        class Nobody:
            def watch(self, request): return None
        nobody = Nobody()
        watch_http(nobody); unwatch_http(nobody); watch_http(nobody)
        libraries = ("httpx", "httpx2", "requests", "aiohttp")
        print(sorted(set(libraries) & set(sys.modules)))
        import httpx, aiohttp
        wrapped = lambda function: hasattr(function, "__wrapped__")
        print(wrapped(httpx.Client._send_single_request), wrapped(aiohttp.ClientSession._request))
        unwatch_http(nobody)
        import requests
        print(wrapped(httpx.Client._send_single_request), wrapped(requests.Session.send))
        watch_http(nobody)
        print(wrapped(requests.Session.send), requests.Session.send.__wrapped__.__name__)
        print(hasattr(requests.Session.send.__wrapped__, "__wrapped__"))
    """)

    assert done.stdout.split("\n") == ["[]", "True True", "False False", "True send", "False", ""]
    assert done.stderr == ""
