"""The Messages API: events of a stream by a dispatch table, and whole messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from otel_stream.attributes import LARGEST
from otel_stream.call import CallInfo
from otel_stream.delta import (
    Delta,
    Failure,
    Finish,
    Found,
    Part,
    Reasoning,
    Refusal,
    Response,
    Skip,
    Terminal,
    ToolCall,
    Usage,
)
from otel_stream.fields import field_of, items_of
from otel_stream.raw import Fields
from otel_stream_anthropic import request

__all__ = ["MessageReader", "Messages"]

Deltas = list[str | Delta]
_SERVER_TOOLS = frozenset({"server_tool_use", "mcp_tool_use"})


class MessageReader:
    """Reads raw message stream events, or the same as `Fields`."""

    __slots__ = ("_usage",)

    def __init__(self) -> None:
        self._usage = _Counts()

    def read(self, event: Any) -> Found:
        """What the event adds; one of an unknown type adds nothing."""
        kind = getattr(event, "type", None)
        if kind == "content_block_delta":  # The hot path.
            delta = getattr(event, "delta", None)
            if delta.__class__ is dict:  # What the SDK cannot place stays JSON.
                delta = Fields(delta)
            kind = getattr(delta, "type", None)
            read = _DELTAS.get(kind) if kind.__class__ is str else None
            return None if read is None else read(delta, event)
        if kind is None and event.__class__ is dict:
            return self.read(Fields(event))
        handle = _EVENTS.get(kind) if kind.__class__ is str else None
        return None if handle is None else handle(self, event)

    def whole(self, done: bool) -> bool:
        """Only `message_stop` says so."""
        return False

    def failure(self, error: BaseException) -> Failure | None:
        """The `error` event that the SDK raised, told from an HTTP error by its body."""
        body = getattr(error, "body", None)
        if not isinstance(body, dict) or body.get("type") != "error":
            return None
        return _failure(body.get("error"))

    def _start(self, event: Any) -> Found:
        message = field_of(event, "message")
        found: Deltas = [Response(_string(message, "id"), _string(message, "model"))]
        usage = self._usage.take(field_of(message, "usage"), final=False)
        return [*found, usage] if usage is not None else found

    def _block(self, event: Any) -> Found:
        return _block(_key(event), field_of(event, "content_block"))

    def _delta(self, event: Any) -> Found:
        delta = field_of(event, "delta")
        found: Deltas = list(_stop(delta))
        usage = self._usage.take(field_of(event, "usage"), final=True)
        return [*found, usage] if usage is not None else found

    def _end(self, event: Any) -> Found:
        return Terminal(last=True)

    def _ping(self, event: Any) -> Found:
        return Skip()

    def _error(self, event: Any) -> Found:
        return _failure(field_of(event, "error"))


_EVENTS: dict[str, Callable[[MessageReader, Any], Found]] = {
    "message_start": MessageReader._start,
    "content_block_start": MessageReader._block,
    "message_delta": MessageReader._delta,
    "message_stop": MessageReader._end,
    "ping": MessageReader._ping,
    "error": MessageReader._error,
}


def _text(delta: Any, event: Any) -> Found:
    text = getattr(delta, "text", None)  # Not `_string`: the hot path again.
    return text if text.__class__ is str else None


_DELTAS: dict[str, Callable[[Any, Any], Found]] = {
    "text_delta": _text,
    "thinking_delta": lambda delta, event: Reasoning(_string(delta, "thinking") or ""),
    "input_json_delta": lambda delta, event: ToolCall(
        _key(event), arguments=_string(delta, "partial_json") or ""
    ),
}


def _string(value: Any, name: str) -> str | None:
    text = field_of(value, name)
    return text if text.__class__ is str else None


def _key(event: Any) -> Any:
    index = field_of(event, "index")
    return index if isinstance(index, (int, str)) else None


class Messages:
    """The endpoint `/v1/messages`, beta or not."""

    def info(self, client: Any, body: dict[str, Any], streamed: bool) -> CallInfo:
        """What the request asks for."""
        return request.info(client, body, streamed)

    def reader(self, body: dict[str, Any]) -> MessageReader:
        """A reader for the answer's stream."""
        return MessageReader()

    def answer(self, answer: Any) -> Iterable[str | Delta]:
        """What a whole message holds."""
        yield Response(_string(answer, "id"), _string(answer, "model"))
        for index, block in enumerate(items_of(field_of(answer, "content"))):
            yield from _whole_block(index, block)
        yield from _stop(answer)
        usage = _Counts().take(field_of(answer, "usage"), final=True)
        if usage is not None:
            yield usage


class _Counts:
    """Usage so far. Anthropic's input count leaves cached tokens out; the convention's has them in.

    Each of the three counts may be told anew, so they are kept apart and added up again.
    """

    __slots__ = ("_cached", "_created", "_input")

    def __init__(self) -> None:
        self._input: int | None = None
        self._cached: int | None = None
        self._created: int | None = None

    def take(self, usage: Any, *, final: bool) -> Usage | None:
        """The counts with `usage` (cumulative) taken in; None if there is no usage."""
        if usage is None:
            return None
        self._input = _count(usage, "input_tokens", self._input)
        self._cached = _count(usage, "cache_read_input_tokens", self._cached)
        self._created = _count(usage, "cache_creation_input_tokens", self._created)
        details = field_of(usage, "output_tokens_details")
        total = None
        if self._input is not None:
            total = self._input + (self._cached or 0) + (self._created or 0)
        return Usage(
            input=total,
            output=_count(usage, "output_tokens", None),
            cache_read=self._cached,
            cache_creation=self._created,
            reasoning=_count(details, "thinking_tokens", None),
            final=final,
        )


def _count(usage: Any, name: str, before: int | None) -> int | None:
    value = field_of(usage, name)
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
    return value if known else before


def _failure(error: Any) -> Failure:
    code = field_of(error, "type")
    return Failure(
        code if isinstance(code, str) else "_OTHER", str(field_of(error, "message") or "")
    )


def _stop(delta: Any) -> Iterable[Delta]:
    """The stop reason, and what the provider says of a refusal."""
    reason = field_of(delta, "stop_reason")
    if isinstance(reason, str) and reason:
        yield Finish(reason)
    explanation = field_of(field_of(delta, "stop_details"), "explanation")
    if isinstance(explanation, str):
        yield Refusal(explanation)


def _block(index: Any, block: Any) -> Found:
    """A content block begins. Its text comes in deltas; what is sent whole is taken here."""
    kind = _string(block, "type") or ""
    if kind == "tool_use" or kind in _SERVER_TOOLS:
        name, identity = _string(block, "name"), _string(block, "id")
        return ToolCall(index, name, identity, server=kind != "tool_use")
    if kind == "text":
        return _string(block, "text") or None
    if kind in ("thinking", "redacted_thinking"):
        return Reasoning(_string(block, "thinking") or "")
    if kind.endswith("_tool_result"):
        return Part(
            {
                "type": "server_tool_call_response",
                "id": _string(block, "tool_use_id"),
                "server_tool_call_response": {"type": kind},
            }
        )
    return None


def _whole_block(index: int, block: Any) -> Deltas:
    kind = _string(block, "type")
    if kind == "tool_use" or kind in _SERVER_TOOLS:
        arguments = json.dumps(field_of(block, "input") or {}, default=str)
        name, identity = _string(block, "name"), _string(block, "id")
        return [ToolCall(index, name, identity, arguments, server=kind != "tool_use")]
    found = _block(index, block)
    return [found] if isinstance(found, (str, Reasoning, Part)) else []
