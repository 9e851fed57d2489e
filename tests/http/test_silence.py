"""Programs that stop reading in bad ways say no more with somebody watching than without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import otel_stream
from otel_stream.testing import ProviderServer, Script

pytestmark = pytest.mark.sdk_matrix

ROOT = Path(otel_stream.__file__).parents[1]

HEAD = """
import asyncio, sys
if {watch}:
    from otel_stream import errors
    from otel_stream.http import Exchange, watch_http
    errors.strict = True
    class Everything:
        def watch(self, request): return Exchanged()
    class Exchanged(Exchange):
        pass
    watch_http(Everything())
url = "{url}"
"""

PROGRAMS = {
    "async loop left, never closed": """
import httpx
client = httpx.AsyncClient()
async def events():
    response = await client.send(client.build_request("GET", url), stream=True)
    async for piece in response.aiter_bytes():
        yield piece
async def main():
    async for piece in events():
        print(piece)
        break
asyncio.run(main())
""",
    "async loop left, httpx2": """
import httpx2
client = httpx2.AsyncClient()
async def main():
    response = await client.send(client.build_request("GET", url), stream=True)
    async for piece in response.aiter_lines():
        print(piece)
        break
asyncio.run(main())
""",
    "task still reading at the end": """
import httpx
async def read(reads):
    async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
        async for piece in response.aiter_bytes():
            print(piece)
            reads.set()
            await asyncio.Event().wait()
async def main():
    reads = asyncio.Event()
    task = asyncio.create_task(read(reads))
    await reads.wait()
asyncio.run(main())
""",
    "loop closed under a reader": """
import httpx
loop = asyncio.new_event_loop()
reads = asyncio.Event()
async def read():
    client = httpx.AsyncClient()
    response = await client.send(client.build_request("GET", url), stream=True)
    async for piece in response.aiter_bytes():
        print(piece)
        reads.set()
        await asyncio.Event().wait()
task = loop.create_task(read())
loop.run_until_complete(reads.wait())
task.cancel()
loop.run_until_complete(asyncio.wait([task]))
loop.run_until_complete(loop.shutdown_asyncgens())
loop.close()
""",
    "aiohttp left, never closed": """
import aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        response = await session.get(url)
        async for line in response.content:
            print(line)
            break
asyncio.run(main())
""",
    "requests left, never closed": """
import requests
response = requests.get(url, stream=True, timeout=5)
for piece in response.iter_content(None):
    print(piece)
    break
""",
    "httpx left, never closed": """
import httpx
client = httpx.Client()
response = client.send(client.build_request("GET", url), stream=True)
for piece in response.iter_bytes():
    print(piece)
    break
""",
}


def ran(program: str, url: str, watch: bool) -> tuple[int, str, str]:
    """How a program of its own ended, and what it said."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += HEAD.format(watch=watch, url=url) + PROGRAMS[program]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_silent(program: str) -> None:
    """The program prints and ends the same, and complains only where it does without us.

    A generator of httpx2 that nobody closes is closed by the event loop in the order of a set, by
    addresses in memory, and how often asyncio complains of that is different from run to run.
    """
    with ProviderServer() as server:
        script = Script.stream([b"data: one\n\n"] * 3, every=0.02, ending="hang")
        server.script("/run", script, 2)
        without = ran(program, f"{server.url}/run", watch=False)
        watched = ran(program, f"{server.url}/run", watch=True)

    assert watched[:2] == without[:2]
    assert watched[2] == "" or without[2] != ""
    assert "otel_stream" not in watched[2]
