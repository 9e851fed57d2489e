"""Made-up streamed answers, as the server-sent events that the providers send.

The shape of each event (every field, also the null ones) follows OpenAI's chat completion
chunks with `include_usage` and Anthropic's message stream; the text is our own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

WORDS = (" the", " answer", " comes", " in", " small", " pieces", ",", " one", " by", " one", ".")
CHAT_MODEL = "gpt-4o-mini-2024-07-18"
FIRST_TEXT = {"openai": 1, "anthropic": 2}
"""Index of the event with the first text: a role, or a start and a block, come before it."""
MESSAGE_MODEL = "claude-haiku-4-5-20251001"


def chat_events(pieces: int) -> list[bytes]:
    """OpenAI chat completion events: role, `pieces` text deltas, finish reason, usage, `[DONE]`."""
    first = {"role": "assistant", "content": "", "refusal": None}
    deltas: list[dict[str, Any]] = [first, *({"content": word(index)} for index in range(pieces))]
    chunks = [chat_chunk([choice(delta, None)], None) for delta in deltas]
    chunks.append(chat_chunk([choice({}, "stop")], None))
    usage = {"prompt_tokens": 12, "completion_tokens": pieces, "total_tokens": pieces + 12}
    chunks.append(chat_chunk([], usage))
    return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


def message_events(pieces: int) -> list[bytes]:
    """Anthropic message events: start, `pieces` text deltas of one block, stop, usage, stop."""
    usage = {"input_tokens": 12, "output_tokens": 1, "service_tier": "standard"}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MESSAGE_MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    block = {"type": "text", "text": ""}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
    ]
    events.extend(text_delta(word(index)) for index in range(pieces))
    events.append({"type": "content_block_stop", "index": 0})
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": pieces}})
    events.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def word(index: int) -> str:
    """The text of one delta."""
    return WORDS[index % len(WORDS)]


def text_delta(text: str) -> dict[str, Any]:
    """One `content_block_delta` event."""
    return {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": text},
    }


def choice(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    """The only choice of a chat chunk."""
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def chat_chunk(choices: list[dict[str, Any]], usage: dict[str, int] | None) -> dict[str, Any]:
    """One `chat.completion.chunk` object."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1765879680,
        "model": CHAT_MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": choices,
        "usage": usage,
        "obfuscation": "yKkTGHRZw",
    }


EVENTS: dict[str, Callable[[int], list[bytes]]] = {
    "openai": chat_events,
    "anthropic": message_events,
}
"""The events of an answer of so many text deltas, by library."""
