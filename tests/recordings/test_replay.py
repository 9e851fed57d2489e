"""Each recording, byte for byte over loopback, through every way to read it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import openai
import pytest

from otel_stream.testing import Captured, ProviderServer, Script, Send, pieces

from .answer import Answer
from .calling import (
    ASYNC_WAYS,
    SYNC_WAYS,
    AsyncWay,
    SyncWay,
    client_for,
    has_helper,
)
from .oracle import read as read_wire
from .recording import Recording, recordings

PROVIDERS_ERRORS = (openai.APIError, anthropic.APIError)
# The recorded models are old, and other providers' tools are unknown: the SDKs say so.
pytestmark = [
    pytest.mark.sdk_matrix,
    pytest.mark.filterwarnings("ignore:The model:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]


def script_of(recording: Recording, size: int | None = None) -> Script:
    sent = [recording.body] if size is None else pieces([recording.body], size)
    return Script([Send(piece) for piece in sent], recording.status, recording.headers)


def read(
    way: SyncWay, recording: Recording, server: ProviderServer, script: Script
) -> Exception | None:
    """Read all. Returns what was raised."""
    server.script(None, script)
    with client_for(recording, server.url) as client:
        try:
            for _ in way(client, recording):
                pass
        except Exception as error:  # noqa: BLE001 - helpers fail at what they do not know
            return error
    return None


def aread(
    way: AsyncWay, recording: Recording, server: ProviderServer, script: Script
) -> Exception | None:
    async def main() -> Exception | None:
        async with client_for(recording, server.url, asynchronous=True) as client:
            try:
                async for _ in way(client, recording):
                    pass
            except Exception as error:  # noqa: BLE001 - helpers fail at what they do not know
                return error
        return None

    server.script(None, script)
    return asyncio.run(main())


def told(answer: Answer, recording: Recording) -> dict[str, Any]:
    """What the span says, as far as the recording has an expectation of it."""
    found = {
        "chunks": answer.chunks,
        "texts": answer.texts,
        "tool_calls": answer.tool_calls,
        "finish_reasons": answer.finish_reasons,
        "usage": answer.usage,
        "error": answer.outcome == "error",
    }
    if "reasoning" in recording.expected:
        found["reasoning"] = answer.reasoning
    return found


def expected(recording: Recording) -> dict[str, Any]:
    said = recording.expected
    texts = {int(choice): text for choice, text in said.get("texts", {}).items()}
    first = said["text"] or said.get("refusal", "")
    failed = "error" in said or not said["finish_reasons"]
    found = {
        "chunks": said["chunks"],
        "texts": texts or ({0: first} if first else {}),
        "tool_calls": [
            {**call, "arguments": json.loads(call["arguments"])} for call in said["tool_calls"]
        ],
        "finish_reasons": said["finish_reasons"] or (["error"] if failed else []),
        "usage": usage_of(said.get("usage") or said.get("x_groq_usage") or {}),
        "error": "error" in said,
    }
    if "reasoning" in said:
        found["reasoning"] = said["reasoning"]
    return found


def usage_of(reported: dict[str, Any]) -> tuple[int | None, int | None]:
    """By the convention: what was read from a cache and written to it is input too."""
    input = reported.get("prompt_tokens", reported.get("input_tokens"))
    output = reported.get("completion_tokens", reported.get("output_tokens"))
    cached = [reported.get(f"cache_{kind}_input_tokens") or 0 for kind in ("read", "creation")]
    return None if input is None else input + sum(cached), output


WAYS = {**SYNC_WAYS, **ASYNC_WAYS}
REPLAYS = [
    pytest.param(recording, way, id=f"{recording.name}-{way}")
    for recording in recordings()
    for way in WAYS
    if "helper" not in way or has_helper(recording)
]


@pytest.mark.parametrize(("recording", "way"), REPLAYS)
def test_replay(recording: Recording, way: str, server: ProviderServer, captured: Captured) -> None:
    """The one span says what the recording holds, whichever way it is read."""
    script = script_of(recording)
    if way in SYNC_WAYS:
        raised = read(SYNC_WAYS[way], recording, server, script)
    else:
        raised = aread(ASYNC_WAYS[way], recording, server, script)
    if isinstance(raised, ValueError) and not server.requests:
        assert captured.spans() == []  # An old SDK's helper does not even ask with such tools.
        return
    answer = Answer(captured.span())

    if raised is None or isinstance(raised, PROVIDERS_ERRORS):
        assert told(answer, recording) == expected(recording)
    else:  # The SDK's helper has failed at an answer that it does not like, and read no further.
        begun = read_wire(recording.api, recording.body, recording.choices, answer.chunks)
        assert (answer.outcome, answer.texts) == (begun.outcome("closed_early"), begun.texts)


SMALL = [one for one in recordings() if one.is_stream and len(one.body) < 30_000]


@pytest.mark.parametrize("recording", SMALL, ids=lambda recording: recording.name)
def test_small_writes(recording: Recording, server: ProviderServer, captured: Captured) -> None:
    """Seven bytes a write, across lines and characters, make no difference."""
    read(SYNC_WAYS["create"], recording, server, script_of(recording, 7))

    assert told(Answer(captured.span()), recording) == expected(recording)


@pytest.mark.parametrize("recording", SMALL, ids=lambda recording: recording.name)
def test_small_writes_read_raw(
    recording: Recording, server: ProviderServer, captured: Captured
) -> None:
    """Nor do they when the application reads the bytes itself."""
    read(SYNC_WAYS["in_bytes"], recording, server, script_of(recording, 7))

    assert told(Answer(captured.span()), recording) == expected(recording)
