"""Whole programs that break a run off: nothing on stderr that is ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from otel_stream import errors

from .cast import EVENTS

pytestmark = pytest.mark.sdk_matrix

SOURCE = Path(errors.__file__).parents[1]
PROGRAM = """
import asyncio, os, sys, threading
os.environ["AGNO_TELEMETRY"] = "false"
from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team
from otel_stream.testing import ProviderServer, Script, chat_text, chat_usage

import otel_stream
from otel_stream_agno import AgnoInstrumentor
otel_stream.instrument()
AgnoInstrumentor().instrument()
server = ProviderServer().start()
server.handler = lambda request: Script.stream(chat_text(["Hel", "lo"], usage=chat_usage()))

def agent(kind=Agent, **options):
    model = OpenAIChat(id="m", api_key="k", base_url=server.openai_url, max_retries=0)
    return kind(name="Poet", model=model, telemetry=False, **options)

EVENTS = {events!r}
"""
BREAKS = {
    "in async code": """
        async def left(who, last, **asked):
            async for event in who.arun("Hi", stream=True, **asked):
                if event.event == last:
                    break
        asyncio.run(left(agent(), "RunCompleted", **EVENTS))
        asyncio.run(left(agent(), "RunContent"))
        asyncio.run(left(agent(Team, members=[agent()]), "TeamRunContent", **EVENTS))
    """,
    "in a thread's private loop": """
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        async def main():
            async for event in agent().arun("Hi", stream=True, **EVENTS):
                if event.event == "RunContent":
                    return event.content
        for _ in range(3):
            asyncio.run_coroutine_threadsafe(main(), loop).result()
    """,
    "by the end of the program": """
        events = agent().run("Hi", stream=True)
        next(events)
    """,
    "by the end of the program, in async code": """
        async def main():
            global events
            events = agent().arun("Hi", stream=True)
            await anext(events)
        asyncio.run(main())
    """,
    "by a cancelled task": """
        server.handler = lambda request: Script.stream([], ending="hang")
        async def read():
            async for event in agent().arun("Hi", stream=True):
                pass
        async def main():
            task = asyncio.create_task(read())
            await asyncio.to_thread(server.wait_for_requests)
            task.cancel()
            await asyncio.wait([task])
        asyncio.run(main())
    """,
}


UNREAD = re.compile(
    r"an error occurred during closing of asynchronous generator"
    r" <async_generator object (?:HTTP|PoolByteStream|Response)"
    r".*?RuntimeError: [^\n]+already running\n",
    re.DOTALL,
)
"""What a program prints without us too: its HTTP client leaves half of a response unread."""


@pytest.mark.parametrize("way", BREAKS)
def test_a_run_that_is_broken_off_says_nothing(tmp_path: Path, way: str) -> None:
    """The program ends well, and nothing of ours stands on its stderr."""
    paths = os.pathsep.join([str(SOURCE), str(SOURCE / "instrumentation")])
    program = PROGRAM.replace("{events!r}", repr(EVENTS)) + textwrap.dedent(BREAKS[way])
    run = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
    )

    assert (run.returncode, run.stdout, UNREAD.sub("", run.stderr)) == (0, "", "")
