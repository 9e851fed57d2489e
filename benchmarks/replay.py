"""Answers that cost nothing to receive: an in-memory body, and chunks replayed on the class.

Replaying takes the place of the SDK's `Stream.__stream__`, the generator that parses the body, so
that a `for` loop meets the SDK's real stream object and real chunks, and no parsing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A response body that arrives one server-sent event at a time."""

    def __init__(self, events: list[bytes]) -> None:
        self.events = events

    def __iter__(self) -> Iterator[bytes]:
        yield from self.events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            yield event


class Replay:
    """What the next streams hand out: parsed from `events`, or `chunks` where these are given."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.chunks: list[Any] | None = None

    def respond(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the in-memory transport."""
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=Body(self.events))

    def install(self, stream: type[Any], async_stream: type[Any]) -> None:
        """Let both stream classes of an SDK hand out our chunks when there are some."""
        parse, async_parse = stream.__stream__, async_stream.__stream__

        def replay_or_parse(answer: Any) -> Any:
            chunks = self.chunks
            return parse(answer) if chunks is None else replayed(answer, chunks)

        def async_replay_or_parse(answer: Any) -> Any:
            chunks = self.chunks
            return async_parse(answer) if chunks is None else async_replayed(answer, chunks)

        stream.__stream__ = replay_or_parse
        async_stream.__stream__ = async_replay_or_parse


def replayed(answer: Any, chunks: list[Any]) -> Iterator[Any]:
    """Hand out prebuilt chunks, and begin and end as the SDK's own generator does."""
    observer = getattr(answer, "_observer", None)  # the anthropic SDK's own span
    if observer is not None:
        observer.begin()
    try:
        for chunk in chunks:  # noqa: UP028 - a frame resumed for each chunk, as the SDK's own is
            yield chunk
        if observer is not None:
            observer.end("read")
    finally:
        answer.response.close()


async def async_replayed(answer: Any, chunks: list[Any]) -> AsyncIterator[Any]:
    """The same for `async for`."""
    observer = getattr(answer, "_observer", None)
    if observer is not None:
        observer.begin()
    try:
        for chunk in chunks:
            yield chunk
        if observer is not None:
            observer.end("read")
    finally:
        await answer.response.aclose()
