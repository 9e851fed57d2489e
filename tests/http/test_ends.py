"""Each way to stop reading, with each library: told once and right, and nothing changes."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any

import pytest

from otel_stream.outcome import Outcome
from otel_stream.testing import ProviderServer, Script

from .clients import ASYNC, Client
from .conftest import PIECES, Watching, scripted

pytestmark = pytest.mark.sdk_matrix


def nothing() -> None:
    """Does nothing in the body of a loop."""


class Interrupting(Exception):
    """Raised by the application itself."""


def interrupt() -> None:
    """Raises in the body of a loop."""
    raise Interrupting


async def test_exhausted(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A body that is read to the end is told piece by piece, as the application gets it."""
    pieces = await client.exhaust(scripted(server))

    one = watching.one
    assert pieces == one.pieces == PIECES
    assert one.told == ["responded", *["asks", "arrived"] * 3, "asks", "finished"]


async def test_lines(client: Client, server: ProviderServer, watching: Watching) -> None:
    """Reading by lines leaves the lines as they are."""
    lines = await client.lines(scripted(server))
    text = [line.decode() if isinstance(line, bytes) else line for line in lines]

    assert text == ["data: é", "", "data: two", "", "data: three", ""]
    assert (b"".join(watching.one.pieces), watching.one.end) == (b"".join(PIECES), "finished")


async def test_left_and_closed(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A loop that is left, and a response that is closed then."""
    pieces = await client.first(scripted(server, ending="hang"), nothing)

    assert pieces == PIECES[:1]
    assert (watching.one.end, watching.one.outcome) == ("closed", Outcome.CLOSED_EARLY)


async def test_exception_in_the_loop(
    client: Client, server: ProviderServer, watching: Watching
) -> None:
    """An exception of the application's own is its own, and closes early."""
    with pytest.raises(Interrupting):
        await client.first(scripted(server, ending="hang"), interrupt)

    assert (watching.one.end, watching.one.outcome) == ("closed", Outcome.CLOSED_EARLY)


async def test_closed_unread(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A response that is closed without a read."""
    await client.unread(scripted(server, ending="hang"))

    assert (watching.one.end, watching.one.outcome) == ("closed", Outcome.CLOSED_EARLY)


@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")  # aiohttp says so itself
async def test_dropped(
    client: Client, server: ProviderServer, watching: Watching, eventually: Any
) -> None:
    """A response that is forgotten. httpx2 closes what was left, as it does without us."""
    await client.first(scripted(server, ending="hang"), nothing, close=False)
    await asyncio.sleep(0.01)
    gc.collect()

    assert eventually(lambda: watching.one.end in ("dropped", "closed"))
    assert watching.one.outcome in (Outcome.CLOSED_EARLY, Outcome.ABANDONED)


@pytest.mark.parametrize("ending", ["cut", "reset"])
async def test_broken_off(
    ending: str, client: Client, server: ProviderServer, watching: Watching
) -> None:
    """A connection that breaks in the middle fails, with what had come before."""
    with pytest.raises(client.errors):
        await client.exhaust(scripted(server, ending=ending))

    assert (watching.one.pieces, watching.one.end) == (PIECES, "failed")


async def test_timed_out(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A read that takes too long fails."""
    with pytest.raises(client.errors):
        await client.exhaust(scripted(server, ending="hang"), wait=0.2)

    assert (watching.one.pieces, watching.one.end) == (PIECES, "failed")


async def test_refused(client: Client, watching: Watching) -> None:
    """A server that is not there: the request fails before there is any response."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(client.errors) as raised:
            await client.exhaust(f"http://127.0.0.1:{bound.getsockname()[1]}/run")

    assert watching.one.told == ["failed"]
    assert watching.one.error is raised.value


async def test_error_status(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A server that says no has answered, and the body of its answer is seen."""
    server.script("/run", Script.json({"error": "no"}, 500))
    status, body, _ = await client.post(f"{server.url}/run", {})

    one = watching.one
    assert (status, body) == (one.status, b"".join(one.pieces)) == (500, b'{"error": "no"}')
    assert one.end == "finished"


async def test_not_streamed(client: Client, server: ProviderServer, watching: Watching) -> None:
    """A body that the library reads within its own call is seen all the same."""
    server.script("/run", Script.json({"text": "hello"}))
    await client.post(f"{server.url}/run", {"q": 1})

    one = watching.one
    assert one.request[:2] == ("POST", "/run")
    assert one.request[2].replace(b" ", b"") == b'{"q":1}'
    assert (b"".join(one.pieces), one.end) == (b'{"text": "hello"}', "finished")
    assert one.headers["content-type"] == one.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("client", ASYNC, ids=[client.name for client in ASYNC])
async def test_cancelled_while_it_waits(
    client: Client, server: ProviderServer, watching: Watching
) -> None:
    """A task that is cancelled in a read has cancelled the request."""
    task = asyncio.create_task(client.exhaust(scripted(server, ending="hang")))
    while not (watching.all and len(watching.one.pieces) == 3):
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert watching.one.end == "failed"
    assert isinstance(watching.one.error, asyncio.CancelledError)


@pytest.mark.parametrize("client", ASYNC, ids=[client.name for client in ASYNC])
async def test_cancelled_in_the_loop(
    client: Client, server: ProviderServer, watching: Watching
) -> None:
    """A task that is cancelled while it works on what came has cancelled the request."""
    url = scripted(server, ending="hang")

    async def read() -> None:
        task = asyncio.current_task()
        assert task is not None
        await client.first(url, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(read())

    assert (watching.one.end, watching.one.outcome) == ("closed", Outcome.CANCELLED)
