"""What is offered, to whom, when, and what goes out on the wire."""

from __future__ import annotations

import gzip
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

import otel_stream
from otel_stream import errors
from otel_stream.http import Exchange, Request, unwatch_http, watch_http
from otel_stream.http.interests import missing_http
from otel_stream.testing import HoldHeaders, ProviderServer, Script, Send

from .clients import Client
from .conftest import Watching

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


async def test_waits(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A wait is the time from the read to the bytes, and bytes come when the server sends them."""
    steps = [HoldHeaders(0.05), Send(b"one"), *Script.stream([b"two"], first_after=0.1).steps]
    server.script("/run", Script(steps))
    await client.exhaust(f"{server.url}/run")
    sent = [time for time, _ in server.request.sent]
    late = [got - at for got, at in zip(watching.one.times, sent, strict=True)]

    assert watching.one.waits[1] > 0.08
    assert all(0 <= lag < 0.1 for lag in late)


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
