"""Agents and teams on a local model, and how this version of Agno is asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team

from otel_stream.testing import ProviderServer

__all__ = ["EVENTS", "MODES", "TEAMS_CONTINUE", "Cast", "consume", "weather"]

_ASKS = "stream_events" in inspect.signature(Agent.run).parameters
EVENTS = {"stream_events" if _ASKS else "stream_intermediate_steps": True}
"""What asks for all events."""
TEAMS_CONTINUE = hasattr(Team, "continue_run")
MODES: dict[str, dict[str, Any]] = {
    "whole": {"stream": False},
    "streamed": {"stream": True},
    "events": {"stream": True, **EVENTS},
}


def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


class Cast:
    """Makes agents and teams that ask the model on *server*."""

    def __init__(self, server: ProviderServer) -> None:
        self._server = server
        self._pools: list[Any] = []

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            if isinstance(pool, httpx.AsyncClient):
                await pool.aclose()
            else:
                pool.close()

    def model(self, asynchronous: bool = False) -> OpenAIChat:
        """The model, for sync or for async methods, with a connection pool of its own."""
        pool = (httpx.AsyncClient if asynchronous else httpx.Client)(verify=False)
        self._pools.append(pool)
        url = self._server.openai_url
        return OpenAIChat(
            id="gpt-5-mini", api_key="k", base_url=url, max_retries=0, http_client=pool
        )

    def agent(
        self,
        name: str = "Poet",
        tools: Sequence[Callable[..., Any]] = (),
        asynchronous: bool = False,
        **options: Any,
    ) -> Agent:
        """An agent. It sends nothing about itself to Agno."""
        model = self.model(asynchronous)
        identity = {"id": name.lower(), "role": "Writes."}
        return Agent(name=name, model=model, tools=[*tools], telemetry=False, **identity, **options)

    def team(
        self, *members: Any, name: str = "Editors", asynchronous: bool = False, **options: Any
    ) -> Team:
        """A team, by default of one agent."""
        return Team(
            name=name,
            id=name.lower(),
            members=list(members) or [self.agent(asynchronous=asynchronous)],
            model=self.model(asynchronous),
            telemetry=False,
            **options,
        )


async def consume(who: Any, method: str, asked: dict[str, Any], *given: Any) -> list[Any]:
    """Run *who*. Returns its events, or its only output."""
    result = getattr(who, method)(*(given or ("Hi",)), **asked)
    if inspect.isawaitable(result):
        result = await result
    if hasattr(result, "__anext__"):
        return [event async for event in result]
    return list(result) if hasattr(result, "__next__") else [result]
