"""The task that reads is remembered, and not held."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import httpx
import httpx2
import pytest

from otel_stream.http.reader import Reader
from otel_stream.outcome import Outcome
from otel_stream.testing import ProviderServer

from .conftest import Watching, scripted


async def test_task_that_is_gone() -> None:
    """A task that is gone is still known to have been cancelled, and went when it was dropped."""
    found: list[Reader] = []

    async def read() -> None:
        found.append(Reader())
        await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    gone = weakref.ref(task)
    del task

    assert (gone(), found[0].cancelling()) == (None, 1)


async def test_task_that_lives_long() -> None:
    """Of a task that has stopped reading nothing more is wanted."""
    task = asyncio.current_task()
    assert task is not None
    reader = Reader()
    reader.forget()

    assert task.remove_done_callback(reader._done) == 0


def test_no_task() -> None:
    """Where there are no tasks nothing is cancelled."""
    assert Reader().cancelling() == 0


@pytest.mark.sdk_matrix
@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_cancelled_and_never_closed(
    library: Any, server: ProviderServer, watching: Watching
) -> None:
    """A task that is cancelled in its loop is told so, whoever closes what it has left."""
    url = scripted(server, ending="hang")
    client = library.AsyncClient()

    async def read() -> None:
        response = await client.send(client.build_request("GET", url), stream=True)
        async for _ in response.aiter_bytes():
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    while not (watching.all and watching.one.pieces):
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    del task
    gc.collect()
    while watching.one.outcome is None:
        await asyncio.sleep(0.001)
    await client.aclose()

    assert watching.one.outcome is Outcome.CANCELLED
