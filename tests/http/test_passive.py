"""What the application holds and does is the same with somebody watching as without."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
import requests
import urllib3

from otel_stream.testing import Hang, ProviderServer, Script, Send, Wait

from .clients import CLIENTS, Client
from .conftest import PIECES, scripted, watched

pytestmark = pytest.mark.sdk_matrix

RAW: dict[str, Callable[[Any], Any]] = {
    "read": lambda raw: [raw.read()],
    "read n": lambda raw: list(iter(lambda: raw.read(7), b"")),
    "read1": lambda raw: list(iter(raw.read1, b"")),
    "readinto": lambda raw: [io.BufferedReader(raw).read()],
    "readline": lambda raw: raw.readlines(),
    "iter": list,
    "stream": lambda raw: list(raw.stream(5)),
    "chunked": lambda raw: list(raw.read_chunked()),
    "data": lambda raw: [raw.data],
}


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("how", RAW)
def test_raw(how: str, encoding: str, server: ProviderServer) -> None:
    """However the raw response of requests is read, it reads the same, and all of it is seen."""
    data = b"".join(PIECES) if not encoding else gzip.compress(b"".join(PIECES))
    steps = [Send(data[:20]), Wait(0.02), Send(data[20:])]
    server.script("/run", Script(steps, headers={"content-encoding": encoding}), 2)
    url = f"{server.url}/run"
    with requests.get(url, stream=True, timeout=5) as response:
        without = RAW[how](response.raw)
    with watched() as watching, requests.get(url, stream=True, timeout=5) as response:
        with_us = RAW[how](response.raw)

    assert with_us == without
    assert (b"".join(watching.one.pieces), watching.one.end) == (b"".join(PIECES), "finished")


def test_raw_response_is_itself(server: ProviderServer) -> None:
    """requests' raw response is urllib3's own object with its own names, and goes when dropped."""
    with watched():
        response = requests.get(scripted(server, ending="hang"), stream=True, timeout=5)
    raw = response.raw
    names = set(dir(raw)) - set(dir(urllib3.HTTPResponse()))
    gone = weakref.ref(raw)
    facts = isinstance(raw, urllib3.HTTPResponse), raw.status, raw.connection is not None, repr(raw)
    del response, raw

    assert facts[:3] == (True, 200, True)
    assert facts[3].startswith("<urllib3.response.HTTPResponse object at ")
    assert names == {"__slots__", "otel_stream_watched"}
    assert gone() is None


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_stream_is_of_its_kind(library: Any, server: ProviderServer) -> None:
    """httpx's stream passes the library's own checks, and knows its time."""
    with watched(), library.Client() as client:
        response = client.send(client.build_request("GET", scripted(server)), stream=True)
        kinds = (library.SyncByteStream, library.AsyncByteStream)
        kind = [isinstance(response.stream, kind) for kind in kinds]
        response.read()
        elapsed = response.elapsed.total_seconds()

    assert kind == [True, False]
    assert elapsed > 0.03


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_transports_of_tests(library: Any) -> None:
    """A response that a mock transport gives, in memory or as a stream, is seen too."""

    def answer(request: Any) -> Any:
        if request.url.path == "/stream":
            return library.Response(200, content=iter(PIECES))
        return library.Response(200, json={"text": "hello"})

    with watched() as watching, library.Client(transport=library.MockTransport(answer)) as client:
        memory = client.post("http://test/memory").content
        streamed = client.get("http://test/stream").content

    assert [b"".join(one.pieces) for one in watching.all] == [memory, streamed]
    assert [one.end for one in watching.all] == ["finished", "finished"]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_asgi_transport(library: Any) -> None:
    """An application that is called without a network is a server like any other."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    with watched() as watching:
        async with library.AsyncClient(transport=library.ASGITransport(app)) as client:
            body = (await client.get("http://test/run")).content

    assert (b"".join(watching.one.pieces), body, watching.one.end) == (b"hello",) * 2 + (
        "finished",
    )


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_authentication(library: Any, server: ProviderServer) -> None:
    """Each attempt of an authentication is a request of its own."""
    challenge = {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'}
    server.script("/run", Script([Send(b"who?")], 401, challenge))
    server.script("/run", Script([Send(b"hello")]))
    with watched() as watching, library.Client(auth=library.DigestAuth("me", "pw")) as client:
        body = client.get(f"{server.url}/run").content

    assert body == b"hello"
    assert [one.status for one in watching.all] == [401, 200]
    assert watching.all[-1].end == "finished"


def test_connection_is_kept(server: ProviderServer) -> None:
    """A response that was read gives its connection back."""
    scripted(server, 3)
    with watched(), httpx.Client() as one, httpx2.Client() as two, requests.Session() as three:
        for client in (one, two, three):
            client.get(f"{server.url}/run")
        scripted(server, 3)
        for client in (one, two, three):
            client.get(f"{server.url}/run")
        server.wait_for_connections(3)


async def test_interleaved(client: Client, server: ProviderServer) -> None:
    """Two clients that read by turns are kept apart."""
    for path, text in (("/one", b"one"), ("/two", b"two")):
        server.script(path, Script.stream([text] * 5, every=0.01))
    with watched() as watching:
        pieces = await asyncio.gather(
            client.exhaust(f"{server.url}/one"), client.exhaust(f"{server.url}/two")
        )

    seen = {one.request[1]: one.pieces for one in watching.all}
    assert seen == {"/one": pieces[0], "/two": pieces[1]}


async def test_read_on(server: ProviderServer) -> None:
    """Somebody who peeks at the first piece and reads on later has not left for good."""
    with watched() as watching, requests.get(scripted(server), stream=True, timeout=5) as response:
        pieces = response.iter_content(None)
        first = next(pieces)
        rest = list(pieces)

    assert [first, *rest] == PIECES
    assert watching.one.end == "finished"


async def test_nothing_is_held_back(client: Client, server: ProviderServer) -> None:
    """A piece is there when it has come, and does not wait for a later one."""
    server.script("/run", Script([Send(b"first"), Hang()]))
    with watched() as watching:
        pieces = await client.first(f"{server.url}/run", lambda: None)

    assert pieces == watching.one.pieces == [b"first"]


@pytest.mark.parametrize("library", [httpx, httpx2, requests])
def test_nothing_is_kept(library: Any, server: ProviderServer) -> None:
    """A response that the application keeps does not keep what watched it."""
    with watched() as watching:
        response = library.get(scripted(server))
    left = weakref.ref(watching.one)
    del watching
    gc.collect()

    assert response.status_code == 200
    assert left() is None


def test_every_library_is_here() -> None:
    """No library is left out of these tests."""
    assert len(CLIENTS) == 6
