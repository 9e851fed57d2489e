"""aiohttp reads by itself: what it has is told when it has it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import StreamReader

from otel_stream.testing import ProviderServer, Script, Send

from .conftest import PIECES, scripted, watched

pytestmark = pytest.mark.sdk_matrix


async def test_reader_is_itself(server: ProviderServer) -> None:
    """aiohttp's content is its own reader, and looks like it."""
    with watched():
        async with aiohttp.ClientSession() as session, session.get(scripted(server)) as response:
            content = response.content
            kind = isinstance(content, StreamReader), type(content).__name__, repr(content)[:13]
            chunks = [chunk async for chunk, _ in content.iter_chunks()]

    assert kind == (True, "StreamReader", "<StreamReader")
    assert chunks == PIECES


async def test_slow_application(server: ProviderServer, eventually: Any) -> None:
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
    assert max(late) < 0.02
    assert all(0.015 < wait < 0.05 for wait in watching.one.waits[1:])


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
