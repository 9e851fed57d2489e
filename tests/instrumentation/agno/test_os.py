"""Agents and teams behind AgentOS: the server's side of a run over HTTP."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from inspect import signature
from typing import Any

import httpx
import pytest
import uvicorn

import otel_stream
from otel_stream.testing import Captured

from ..waiting import auntil
from .cast import Cast, weather
from .trees import draw

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Old servers on new libraries have much to say.
        from agno.os import AgentOS
except ImportError as missing:
    pytest.skip(f"AgentOS cannot be imported: {missing}", allow_module_level=True)

OS: dict[str, Any] = {"telemetry": False}
OS["id" if "id" in signature(AgentOS.__init__).parameters else "os_id"] = "os"
pytestmark = [
    pytest.mark.sdk_matrix,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@asynccontextmanager
async def serving(
    around: Callable[[Any], Any] = lambda app: app, **given: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server of these agents and teams, in this event loop, the app `around` it."""
    app: Any = AgentOS(**OS, **given)
    config = uvicorn.Config(around(app.get_app()), port=0, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await auntil(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False) as client:
        yield client
    server.should_exit = True
    await running


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_an_agent_behind_a_server(captured: Captured, cast: Cast, stream: str) -> None:
    """The run stands in the server as anywhere else; the session is the request's."""
    agent = cast.agent(tools=[weather], asynchronous=True)
    asked = {"message": "Hi", "stream": stream, "session_id": "talk-1"}
    async with serving(agents=[agent]) as client:
        with otel_stream.suppress():  # What the client sees of it is told elsewhere.
            answer = await client.post("/agents/poet/runs", data=asked)

    assert "Hello" in answer.text
    assert (
        draw(captured)
        == """
invoke_agent Poet completed
  chat gpt-5-mini 9+5
  execute_tool weather
  chat gpt-5-mini 9+5
"""
    )
    found = captured.span("invoke_agent Poet").attributes or {}
    assert found["gen_ai.conversation.id"] == "talk-1"


async def test_a_team_behind_a_server(captured: Captured, cast: Cast) -> None:
    """Members nest as they do without a server."""
    asked = {"message": "Hi", "stream": "true"}
    async with serving(teams=[cast.team(asynchronous=True)]) as client:
        with otel_stream.suppress():
            answer = await client.post("/teams/editors/runs", data=asked)

    assert "TeamRunCompleted" in answer.text
    assert (
        draw(captured)
        == """
invoke_agent Editors completed
  chat gpt-5-mini 9+5
  execute_tool delegate_task_to_member
    invoke_agent Poet completed
      chat gpt-5-mini 9+5
  chat gpt-5-mini 9+5
"""
    )


async def test_many_at_once_have_a_tree_each(captured: Captured, cast: Cast) -> None:
    """Requests side by side: every call of a model is under the run of its own request."""
    agent = cast.agent(tools=[weather], asynchronous=True)
    async with serving(agents=[agent]) as client:
        asked = [{"message": "Hi", "stream": "true", "session_id": f"t{n}"} for n in range(8)]
        with otel_stream.suppress():
            await asyncio.gather(*(client.post("/agents/poet/runs", data=one) for one in asked))

    assert draw(captured).count("\ninvoke_agent Poet completed\n  ") == 8
    below: dict[int, list[str]] = {}
    for span in captured.spans():
        if span.parent:
            below.setdefault(span.parent.span_id, []).append(span.name)
    assert (
        sorted(map(tuple, map(sorted, below.values())))
        == [("chat gpt-5-mini", "chat gpt-5-mini", "execute_tool weather")] * 8
    )
