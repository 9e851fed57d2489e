"""The team that answers: a leader, and a member with a tool. Imports Agno, which takes its time."""

from __future__ import annotations

import asyncio
import logging
import os

import httpx

os.environ["AGNO_TELEMETRY"] = "false"  # by default it posts to its makers

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team

from otel_stream_demo.brain import FOUND, LEADER, MEMBER

__all__ = ["team"]

for name in ("agno", "agno-team"):
    logging.getLogger(name).disabled = True  # what fails is said at the end


async def forecast(city: str, day: str) -> str:
    """The weather in a city on a day."""
    await asyncio.sleep(0.3)
    return FOUND


def team(url: str, client: httpx.AsyncClient) -> Team:
    """The team.

    Args:
        url: Of the models.
        client: By which they are asked.
    """

    def model(name: str) -> OpenAIChat:
        return OpenAIChat(id=name, api_key="none", base_url=url, max_retries=0, http_client=client)

    forecaster = Agent(
        name="Forecaster",
        id="forecaster",
        role="Knows the weather.",
        model=model(MEMBER),
        tools=[forecast],
        telemetry=False,
    )
    return Team(
        name="Concierge",
        id="concierge",
        members=[forecaster],
        model=model(LEADER),
        telemetry=False,
    )
