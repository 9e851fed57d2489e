"""The streams that are measured: one call of an SDK, sync or async, over an in-memory transport."""

from __future__ import annotations

from collections.abc import Awaitable
from itertools import cycle, islice
from typing import Any, Protocol

import httpx2
from answers import CHAT_MODEL, EVENTS, FIRST_TEXT, MESSAGE_MODEL
from replay import Replay

DISTINCT = 256
"""Chunks that a processor's cache holds, because one that has just been parsed is in there too."""
LIBRARIES = ("openai", "anthropic")
QUESTION: list[Any] = [{"role": "user", "content": "In how many pieces does the answer come?"}]


class Workload(Protocol):
    """Streamed calls of one library."""

    def open(self) -> Any:
        """Make a call; the SDK's stream."""

    def open_async(self) -> Awaitable[Any]:
        """The same with the async client."""


class ChatCompletions:
    """OpenAI's `chat.completions.create(stream=True)`."""

    def __init__(self, http: httpx2.Client, async_http: httpx2.AsyncClient) -> None:
        import openai

        address = "http://localhost/v1"
        self.client = openai.OpenAI(api_key="bench", base_url=address, http_client=http)
        self.async_client = openai.AsyncOpenAI(
            api_key="bench", base_url=address, http_client=async_http
        )
        self.request: dict[str, Any] = {
            "model": CHAT_MODEL,
            "messages": QUESTION,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def open(self) -> Any:
        """Make a call; the SDK's stream."""
        return self.client.chat.completions.create(**self.request)

    def open_async(self) -> Awaitable[Any]:
        """The same with the async client."""
        return self.async_client.chat.completions.create(**self.request)


class Messages:
    """Anthropic's `messages.create(stream=True)`."""

    def __init__(self, http: httpx2.Client, async_http: httpx2.AsyncClient) -> None:
        import anthropic

        address = "http://localhost"
        self.client = anthropic.Anthropic(api_key="bench", base_url=address, http_client=http)
        self.async_client = anthropic.AsyncAnthropic(
            api_key="bench", base_url=address, http_client=async_http
        )
        self.request: dict[str, Any] = {
            "model": MESSAGE_MODEL,
            "messages": QUESTION,
            "max_tokens": 1024,
            "stream": True,
        }

    def open(self) -> Any:
        """Make a call; the SDK's stream."""
        return self.client.messages.create(**self.request)

    def open_async(self) -> Awaitable[Any]:
        """The same with the async client."""
        return self.async_client.messages.create(**self.request)


def connect(library: str, replay: Replay) -> Workload:
    """A workload whose calls are answered by `replay`."""
    transport = httpx2.MockTransport(replay.respond)
    kind = ChatCompletions if library == "openai" else Messages
    return kind(
        httpx2.Client(transport=transport),
        httpx2.AsyncClient(transport=httpx2.MockTransport(replay.respond)),
    )


def install(library: str, replay: Replay) -> None:
    """Let the library's stream classes hand out what `replay` holds."""
    if library == "openai":
        import openai

        replay.install(openai.Stream, openai.AsyncStream)
    else:
        import anthropic

        replay.install(anthropic.Stream, anthropic.AsyncStream)


def parse(library: str, replay: Replay, pieces: int) -> list[Any]:
    """The chunks of an answer of `pieces` text deltas, made by the SDK's own parser.

    No more than `DISTINCT` of them are different objects, over and over.
    """
    distinct = min(pieces, DISTINCT)
    replay.chunks, replay.events = None, EVENTS[library](distinct)
    chunks = list(connect(library, replay).open())
    first, last = FIRST_TEXT[library], FIRST_TEXT[library] + distinct
    texts = islice(cycle(chunks[first:last]), pieces)
    return [*chunks[:first], *texts, *chunks[last:]]
