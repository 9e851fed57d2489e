"""A small chat service on the real SDKs. Nothing in it knows that it is traced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai

__all__ = ["Service"]

LONGEST = 400
"""Tokens that an answer may have, where the API asks for a bound."""
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Service:
    """Asks models on behalf of people.

    Args:
        openai_options, anthropic_options: For the SDKs' clients; without any they read the usual
            variables (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, …).
    """

    def __init__(self, openai_options: dict[str, Any], anthropic_options: dict[str, Any]) -> None:
        self._openai_options = openai_options
        self._anthropic_options = anthropic_options

    def chat(self, model: str, prompt: str) -> Iterator[Any]:
        """A chat completion of OpenAI, chunk by chunk."""
        return openai.OpenAI(**self._openai_options).chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": prompt}],
            stream=True,
            stream_options={"include_usage": True},
        )

    async def chat_async(self, model: str, prompt: str) -> None:
        """The same with the asynchronous client, read to its end."""
        async with openai.AsyncOpenAI(**self._openai_options) as client:
            stream = await client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": prompt}],
                stream=True,
                stream_options={"include_usage": True},
            )
            async for _ in stream:
                pass

    def respond(self, model: str, prompt: str) -> Iterator[Any]:
        """A response of OpenAI's newer API, event by event."""
        return openai.OpenAI(**self._openai_options).responses.create(
            model=model, input=prompt, reasoning={"summary": "auto"}, stream=True
        )

    def message(self, model: str, prompt: str) -> Iterator[Any]:
        """A message of Anthropic, event by event."""
        return anthropic.Anthropic(**self._anthropic_options).messages.create(
            model=model,
            max_tokens=LONGEST,
            messages=[{"role": "user", "content": prompt}],
            stream=True,
        )

    async def message_async(self, model: str, prompt: str) -> None:
        """The same with the asynchronous client, read to its end."""
        async with anthropic.AsyncAnthropic(**self._anthropic_options) as client:
            stream = await client.messages.create(
                model=model,
                max_tokens=LONGEST,
                messages=[{"role": "user", "content": prompt}],
                stream=True,
            )
            async for _ in stream:
                pass

    def use_tool(self, model: str, prompt: str) -> None:
        """A message that may call a tool, read with the SDK's helper."""
        client = anthropic.Anthropic(**self._anthropic_options)
        with client.messages.stream(
            model=model,
            max_tokens=LONGEST,
            messages=[{"role": "user", "content": prompt}],
            tools=[WEATHER],  # type: ignore[list-item]
        ) as stream:
            stream.get_final_message()
