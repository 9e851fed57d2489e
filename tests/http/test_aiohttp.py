"""aiohttp reads by itself: what it has is told when it has it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import TestServer
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_stream.http import Request, unwatch_http, watch_http
from otel_stream.testing import ProviderServer, Script, Send

from .conftest import PIECES, Noted, Watching, scripted, watched

pytestmark = pytest.mark.sdk_matrix


async def test_reader_is_itself(server: ProviderServer) -> None:
    """aiohttp's content is its own reader, and looks like it."""
    with watched():
        async with aiohttp.ClientSession() as session, session.get(scripted(server)) as response:
            content = response.content
            kind = isinstance(content, StreamReader), type(content).__name__, repr(content)[:13]
            chunks = [chunk async for chunk, _ in content.iter_chunks() if chunk]

    assert kind == (True, "StreamReader", "<StreamReader")
    assert chunks == PIECES


async def test_slow_application(server: ProviderServer) -> None:
    """With aiohttp, what an application does between its reads delays no time that is told."""
    with watched() as watching:
        async with aiohttp.ClientSession() as session, session.get(scripted(server)) as response:
            await response.content.readany()
            while watching.one.end != "finished":
                await asyncio.sleep(0.001)
            rest = await response.content.read()

    sent = [at for at, _ in server.request.sent]
    late = [got - at for got, at in zip(watching.one.times, sent, strict=True)]
    assert rest == b"".join(PIECES[1:])
    assert max(late) < 0.1
    assert all(wait > 0.01 for wait in watching.one.waits[1:])


async def patient(read: Callable[[], Any]) -> bytes:
    """What one read gives, tried again and again with too little time."""
    while True:
        try:
            return await asyncio.wait_for(read(), 0.003)  # type: ignore[no-any-return]
        except TimeoutError:
            continue


async def test_impatient_application(server: ProviderServer) -> None:
    """With aiohttp a read that was given up can be tried again, and is no end."""
    pieces = []
    with watched() as watching:
        async with aiohttp.ClientSession() as session, session.get(scripted(server)) as response:
            while not response.content.at_eof():
                pieces.append(await patient(response.content.readany))

    assert b"".join(pieces) == b"".join(PIECES)
    assert (watching.one.pieces, watching.one.end) == (PIECES, "finished")


async def test_total_time_out(server: ProviderServer) -> None:
    """With aiohttp a time-out of the whole request fails it, though its reader knows nothing."""
    timeout = aiohttp.ClientTimeout(total=0.2)
    url = scripted(server, ending="hang")
    with watched() as watching, pytest.raises(TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            await response.read()

    assert watching.one.end == "failed"
    assert isinstance(watching.one.error, TimeoutError)


async def test_address_that_is_none() -> None:
    """What cannot be requested at all fails as it does without us."""
    with watched() as watching, pytest.raises(aiohttp.InvalidURL):
        async with aiohttp.ClientSession() as session:
            await session.get("http://[nowhere")

    assert watching.one.told == ["failed"]


async def test_encoded_for_the_application(server: ProviderServer) -> None:
    """With aiohttp and its decompression off, the application gets the wire, and watchers text."""
    data = gzip.compress(b"hello")
    server.script("/run", Script([Send(data)], headers={"content-encoding": "gzip"}))
    with watched() as watching:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(f"{server.url}/run") as response,
        ):
            body = await response.read()

    assert (body, b"".join(watching.one.pieces)) == (data, b"hello")


async def test_authentication(server: ProviderServer) -> None:
    """Each attempt of a middleware is a request of its own, and carries its own trace."""
    made: list[Noted] = []

    class Attempt(Noted):
        propagates = True

        def __init__(self, request: Request) -> None:
            super().__init__(request)
            made.append(self)
            span = SpanContext(len(made), len(made), False, TraceFlags(1))
            self.context = trace.set_span_in_context(NonRecordingSpan(span))

    challenge = {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'}
    server.script("/run", Script([Send(b"who?")], 401, challenge))
    server.script("/run", Script([Send(b"hello")]))
    interest = Watching(Attempt)
    watch_http(interest)
    digest = aiohttp.DigestAuthMiddleware("me", "pw")
    session = aiohttp.ClientSession(middlewares=(digest,))
    async with session, session.get(f"{server.url}/run") as response:
        body = await response.read()
    unwatch_http(interest)

    assert (body, [one.status for one in made]) == (b"hello", [401, 200])
    sent = [one.headers["traceparent"].split("-")[1] for one in server.requests]
    assert [int(one, 16) for one in sent] == [1, 2]


async def test_websocket() -> None:
    """A connection that becomes a WebSocket is told to its headers, and works."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(await socket.receive_str())
        return socket

    app = web.Application()
    app.router.add_get("/ws", echo)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        with watched() as watching:
            async with session.ws_connect(server.make_url("/ws")) as socket:
                await socket.send_str("hello")
                answer = await socket.receive_str()

    assert (answer, watching.one.told) == ("hello", ["responded", "finished"])
