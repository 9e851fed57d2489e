"""All ways to ask the real SDKs for a stream and to read it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anthropic
import openai

from .recording import Recording

__all__ = ["ASYNC_WAYS", "SYNC_WAYS", "AsyncWay", "SyncWay", "client_for", "has_helper"]

SyncWay = Callable[[Any, Recording], Iterator[Any]]
"""Calls a resource's client and yields what comes."""
AsyncWay = Callable[[Any, Recording], AsyncIterator[Any]]

# Making one takes longer than a whole replay; nothing here is encrypted.
_TLS = ssl.create_default_context()
_KNOWN = {"input", "max_tokens", "messages", "model", "n", "prompt", "tools"}
_NEEDED: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "?"}]},
    "completions": {"prompt": "?"},
    "responses": {"input": "?"},
    "messages": {"messages": [{"role": "user", "content": "?"}], "max_tokens": 64},
}


def client_for(recording: Recording, url: str, *, asynchronous: bool = False) -> Any:
    """A client of the SDK that the recording's provider is called with, for the server at `url`."""
    sdk: Any = anthropic if recording.api == "messages" else openai
    transport = sdk.DefaultAsyncHttpxClient if asynchronous else sdk.DefaultHttpxClient
    http_client = transport(verify=_TLS, trust_env=False)
    options: dict[str, Any] = {"api_key": "test", "max_retries": 0, "http_client": http_client}
    if recording.api == "messages":
        kind: Any = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
        return kind(base_url=url, **options)
    if recording.is_azure:
        kind = openai.AsyncAzureOpenAI if asynchronous else openai.AzureOpenAI
        return kind(azure_endpoint=url, api_version="2024-10-21", **options)
    kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return kind(base_url=f"{url}/v1", **options)


def has_helper(recording: Recording) -> bool:
    """Whether this version of the SDK has a `stream()` helper for it."""
    if recording.is_beta:
        return hasattr(anthropic.Anthropic(api_key="test").beta.messages, "stream")
    return recording.api != "completions"


def _resource(client: Any, recording: Recording) -> Any:
    if recording.api == "chat":
        return client.chat.completions
    if recording.api == "messages":
        return client.beta.messages if recording.is_beta else client.messages
    return getattr(client, recording.api)


def _helpers(client: Any, recording: Recording) -> Any:
    """The resource that has `stream()`; before openai 1.92 that of chat was a beta."""
    resource = _resource(client, recording)
    return resource if hasattr(resource, "stream") else client.beta.chat.completions


def _arguments(recording: Recording, *, stream: bool = True) -> dict[str, Any]:
    body = {"model": "model", **_NEEDED[recording.api], **recording.request}
    body.pop("stream", None)
    known = {name: body.pop(name) for name in list(body) if name in _KNOWN}
    return {**known, "extra_body": body, **({"stream": True} if stream else {})}


def create(client: Any, recording: Recording) -> Iterator[Any]:
    """`create(stream=True)`."""
    yield from _resource(client, recording).create(**_arguments(recording))


def raw(client: Any, recording: Recording) -> Iterator[Any]:
    """`with_raw_response`, parsed."""
    resource = _resource(client, recording).with_raw_response
    yield from resource.create(**_arguments(recording)).parse()


def streaming(client: Any, recording: Recording) -> Iterator[Any]:
    """`with_streaming_response`, parsed."""
    resource = _resource(client, recording).with_streaming_response
    with resource.create(**_arguments(recording)) as response:
        yield from response.parse()


def lines(client: Any, recording: Recording) -> Iterator[Any]:
    """`with_streaming_response`, read line by line."""
    resource = _resource(client, recording).with_streaming_response
    with resource.create(**_arguments(recording)) as response:
        yield from response.iter_lines()


def in_bytes(client: Any, recording: Recording) -> Iterator[Any]:
    """`with_streaming_response`, read as bytes."""
    resource = _resource(client, recording).with_streaming_response
    with resource.create(**_arguments(recording)) as response:
        yield from response.iter_bytes()


def helper(client: Any, recording: Recording) -> Iterator[Any]:
    """The `stream()` helper."""
    with _helpers(client, recording).stream(**_arguments(recording, stream=False)) as stream:
        yield from stream


async def acreate(client: Any, recording: Recording) -> AsyncIterator[Any]:
    """As `create`."""
    async for item in await _resource(client, recording).create(**_arguments(recording)):
        yield item


async def araw(client: Any, recording: Recording) -> AsyncIterator[Any]:
    """As `raw`. The older kind of raw response parses without waiting."""
    resource = _resource(client, recording).with_raw_response
    parsed = (await resource.create(**_arguments(recording))).parse()
    async for item in await parsed if hasattr(parsed, "__await__") else parsed:
        yield item


async def astreaming(client: Any, recording: Recording) -> AsyncIterator[Any]:
    """As `streaming`."""
    resource = _resource(client, recording).with_streaming_response
    async with resource.create(**_arguments(recording)) as response:
        async for item in await response.parse():
            yield item


async def alines(client: Any, recording: Recording) -> AsyncIterator[Any]:
    """As `lines`."""
    resource = _resource(client, recording).with_streaming_response
    async with resource.create(**_arguments(recording)) as response:
        async for item in response.iter_lines():
            yield item


async def ahelper(client: Any, recording: Recording) -> AsyncIterator[Any]:
    """As `helper`."""
    async with _helpers(client, recording).stream(**_arguments(recording, stream=False)) as stream:
        async for item in stream:
            yield item


SYNC_WAYS: dict[str, SyncWay] = {
    one.__name__: one for one in (create, raw, streaming, lines, in_bytes, helper)
}
ASYNC_WAYS: dict[str, AsyncWay] = {
    one.__name__: one for one in (acreate, araw, astreaming, alines, ahelper)
}
