"""The Responses API: events of a stream by a dispatch table, and whole responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from otel_stream import semconv
from otel_stream.call import CallInfo
from otel_stream.delta import (
    Delta,
    Failure,
    Finish,
    Found,
    Reasoning,
    Refusal,
    Response,
    Terminal,
    ToolCall,
)
from otel_stream.fields import field_of, items_of
from otel_stream.raw import Fields
from otel_stream_openai import messages, request
from otel_stream_openai.errors import failure_of, failure_of_body
from otel_stream_openai.usage import usage_of

__all__ = ["Responses", "ResponsesReader"]

Deltas = list[str | Delta]

_TOOLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Calls that the application answers, and where their arguments stand."""

_FINISHED = {"max_output_tokens": "length"}


def _delta(event: Any) -> str:
    text = getattr(event, "delta", None)
    return text if isinstance(text, str) else ""


def _key(event: Any) -> Any:
    index = field_of(event, "output_index")
    return index if isinstance(index, (int, str)) else None


def _text(event: Any) -> Found:
    return _delta(event)


def _reasoning(event: Any) -> Found:
    return Reasoning(_delta(event))


def _refusal(event: Any) -> Found:
    return Refusal(_delta(event))


def _arguments(event: Any) -> Found:
    return ToolCall(_key(event), arguments=_delta(event))


def _server_arguments(event: Any) -> Found:
    return ToolCall(_key(event), arguments=_delta(event), server=True)


def _created(event: Any) -> Found:
    return _response(field_of(event, "response"))


def _item_added(event: Any) -> Found:
    item = field_of(event, "item")
    kind = _string(item, "type")
    key = _key(event)
    if kind in _TOOLS:
        return ToolCall(key, _string(item, "name"), _string(item, "call_id"))
    if kind == "reasoning":
        return Reasoning("")
    if kind is not None and kind.endswith("_call"):
        return ToolCall(key, _string(item, "name") or kind, _string(item, "id"), server=True)
    return None


def _completed(event: Any) -> Found:
    response = field_of(event, "response")
    return [_response(response), *_end(response), Terminal(last=True)]


def _incomplete(event: Any) -> Found:
    response = field_of(event, "response")
    return [_response(response), *_end(response), Terminal(partial=True, last=True)]


def _failed(event: Any) -> Found:
    response = field_of(event, "response")
    failure = failure_of_body(field_of(response, "error")) or Failure("_OTHER")
    usage = usage_of(field_of(response, "usage"))
    told: Deltas = [_response(response), Failure(failure.code, failure.message, chunk=True)]
    return [*told, usage] if usage is not None else told


def _error(event: Any) -> Found:
    return failure_of_body(field_of(event, "error") or _Flat(event)) or Failure("_OTHER")


def _wrapped(event: Any) -> Found:
    """An event as the oldest SDKs hand it out if its name has no prefix: a name, and the data."""
    data = field_of(event, "data")
    if field_of(event, "event") != "error" or not isinstance(data, dict):
        return None
    return _error(Fields(data))


_READ: dict[str, Callable[[Any], Found]] = {
    "response.output_text.delta": _text,
    "response.audio.transcript.delta": _text,
    "response.reasoning_text.delta": _reasoning,
    "response.reasoning_summary_text.delta": _reasoning,
    "response.refusal.delta": _refusal,
    "response.function_call_arguments.delta": _arguments,
    "response.custom_tool_call_input.delta": _arguments,
    "response.mcp_call_arguments.delta": _server_arguments,
    "response.code_interpreter_call_code.delta": _server_arguments,
    "response.created": _created,
    "response.output_item.added": _item_added,
    "response.completed": _completed,
    "response.incomplete": _incomplete,
    "response.failed": _failed,
    "error": _error,
}


class ResponsesReader:
    """Reads response stream events, or the same as `Fields`."""

    __slots__ = ()

    def read(self, event: Any) -> Found:
        """What the event adds; one of an unknown type adds nothing."""
        kind = getattr(event, "type", None)
        if kind is None and event.__class__ is dict:  # What the SDK cannot place stays JSON.
            return self.read(Fields(event))
        if kind.__class__ is not str:
            return _wrapped(event)
        read = _READ.get(kind)
        return None if read is None else read(event)

    def whole(self, done: bool) -> bool:
        """Only a terminal event says so."""
        return False

    def failure(self, error: BaseException) -> Failure | None:
        """The error event that the SDK raised as an `APIError`."""
        return failure_of(error)


class Responses:
    """The endpoint `/responses`."""

    def info(self, client: Any, body: dict[str, Any], streamed: bool) -> CallInfo:
        """What the request asks for."""
        return request.info(
            client, body, streamed, operation="chat", api="responses", content=messages.of_responses
        )

    def reader(self, body: dict[str, Any]) -> ResponsesReader:
        """A reader for the answer's stream."""
        return ResponsesReader()

    def answer(self, answer: Any) -> Iterable[str | Delta]:
        """What a whole response holds."""
        yield _response(answer)
        for index, item in enumerate(items_of(field_of(answer, "output"))):
            yield from _item(index, item)
        yield from _end(answer)
        if field_of(answer, "status") == "failed":
            failure = failure_of_body(field_of(answer, "error")) or Failure("_OTHER")
            yield Failure(failure.code, failure.message, chunk=True)


_NOT_FINISHED = ("failed", "in_progress", "queued")
"""Statuses that are no finish reason: a response in the background goes on after its call."""


class _Flat:
    """An `error` event that carries code and message itself; its `type` says only `error`."""

    def __init__(self, event: Any) -> None:
        self.code = field_of(event, "code")
        self.message = field_of(event, "message")


def _response(response: Any) -> Response:
    tier = field_of(response, "service_tier")
    facts = {semconv.OPENAI_RESPONSE_SERVICE_TIER: tier} if isinstance(tier, str) else None
    return Response(_string(response, "id"), _string(response, "model"), facts)


def _end(response: Any) -> Deltas:
    """Finish reason and usage of a response that has ended."""
    status = field_of(response, "status")
    reason = field_of(field_of(response, "incomplete_details"), "reason") or status
    found: Deltas = []
    if isinstance(reason, str) and status not in _NOT_FINISHED:
        found.append(Finish(_FINISHED.get(reason, reason)))
    usage = usage_of(field_of(response, "usage"))
    return [*found, usage] if usage is not None else found


def _item(index: int, item: Any) -> Deltas:
    kind = _string(item, "type") or ""
    if kind in _TOOLS:
        arguments = _string(item, _TOOLS[kind]) or ""
        return [ToolCall(index, _string(item, "name"), _string(item, "call_id"), arguments)]
    if kind == "reasoning":
        parts = [
            *items_of(field_of(item, "summary")),
            *items_of(field_of(item, "content")),
        ]
        return [Reasoning(_string(part, "text") or "") for part in parts]
    if kind == "message":
        return [d for part in items_of(field_of(item, "content")) for d in _content(part)]
    if kind.endswith("_call"):
        name, arguments = _string(item, "name") or kind, _string(item, "arguments") or ""
        return [ToolCall(index, name, _string(item, "id"), arguments, server=True)]
    return []


def _content(part: Any) -> Deltas:
    refusal = _string(part, "refusal")
    return [Refusal(refusal)] if refusal else [_string(part, "text") or ""]


def _string(value: Any, name: str) -> str | None:
    text = field_of(value, name)
    return text if isinstance(text, str) and text else None
