"""The four streamed APIs: how each is asked, and how its answers look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from otel_stream.testing import (
    ChatStream,
    MessageStream,
    ResponseStream,
    chat_text,
    completion_text,
    message_text,
    response_text,
)

__all__ = ["APIS", "CHAT", "COMPLETIONS", "MESSAGES", "RESPONSES", "Api", "every_api"]

_HI = [{"role": "user", "content": "Hi"}]
WORDS = ("Hello", " world")


@dataclass(frozen=True)
class Api:
    """One API.

    Attributes:
        name: Names it in the test's id.
        resource: Where the SDK's client has it.
        arguments: What `create` is called with.
        whole: The events of a whole answer, `Hello world`.
        opening: Its beginning: everything up to ` world`.
        error: An error event.
    """

    name: str
    resource: str
    arguments: dict[str, Any]
    whole: Sequence[bytes]
    opening: Sequence[bytes]
    error: bytes

    @property
    def is_anthropic(self) -> bool:
        return self.name == "messages"

    def of(self, client: Any) -> Any:
        """The resource."""
        for part in self.resource.split("."):
            client = getattr(client, part)
        return client

    def create(self, client: Any, **more: Any) -> Any:
        """`create(stream=True)`; to be awaited with an async client."""
        return self.of(client).create(**self.arguments, stream=True, **more)


CHAT = Api(
    "chat",
    "chat.completions",
    {"model": "gpt-5-mini", "messages": _HI},
    chat_text(WORDS),
    chat_text(WORDS, finish=None, done=False),
    ChatStream().error()[0],
)
COMPLETIONS = Api(
    "completions",
    "completions",
    {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"},
    completion_text(WORDS),
    completion_text(WORDS, finish=None, done=False),
    ChatStream().error()[0],
)
RESPONSES = Api(
    "responses",
    "responses",
    {"model": "gpt-5", "input": "Hi"},
    response_text(WORDS),
    ResponseStream().created().in_progress().text(WORDS)[:-3],
    ResponseStream().error()[0],
)
MESSAGES = Api(
    "messages",
    "messages",
    {"model": "claude-sonnet-5", "messages": _HI, "max_tokens": 64},
    message_text(WORDS),
    MessageStream().start().ping().text(WORDS, stop=False),
    MessageStream().error()[0],
)
APIS = (CHAT, COMPLETIONS, RESPONSES, MESSAGES)
every_api = pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
