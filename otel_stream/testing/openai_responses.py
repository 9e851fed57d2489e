"""Streams and answers of the Responses API.

    ResponseStream().created().in_progress().text(["Hello", " you"]).completed()
    response_text(["Hello", " you"])            # the same

Every item method writes all events of its item, from `response.output_item.added` to `….done`; a
slice leaves the rest out (`response_text([...])[:-1]` has no terminal event).

Format: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from otel_stream.testing.openai_chat import CREATED
from otel_stream.testing.sse import Events
from otel_stream.testing.tool_call import ToolCall

__all__ = [
    "ResponseStream",
    "message_item",
    "response",
    "response_text",
    "response_tools",
    "response_usage",
]

MODEL = "gpt-5-2025-08-07"
Item = dict[str, Any]

_AS_ASKED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "metadata": {},
}
"""What a response repeats of its request, as if nothing special had been asked for."""


def response_usage(
    input: int = 9, output: int = 5, *, cached: int = 0, reasoning: int = 0
) -> dict[str, Any]:
    """The `usage` object of a response."""
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input + output,
    }


def message_item(text: str, id: str = "msg_testing1", refusal: bool = False) -> Item:
    """A finished output item that is a message."""
    content = (
        {"type": "refusal", "refusal": text}
        if refusal
        else {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    )
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }


def response(
    text: str = "Hello you",
    *,
    output: Sequence[Item] | None = None,
    status: str = "completed",
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
    id: str = "resp_testing1",
    **extra: Any,
) -> dict[str, Any]:
    """A response object: the JSON body of an answer that is not streamed.

    Args:
        text: The answer, unless *output* is given.
        output: The output items.
        status: `completed`, `in_progress`, `incomplete` or `failed`.
        usage: See `response_usage`; None: the default of that, while in progress null.
        model: The model that answers.
        id: The response's id.
        extra: Further or other keys.
    """
    started = status in ("in_progress", "queued")
    found = {
        "id": id,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [message_item(text)] if output is None else list(output),
        "usage": usage if usage is not None or started else response_usage(),
    }
    return _AS_ASKED | found | extra


class ResponseStream(Events):
    """Events of one streamed response, added one method after the other, numbered from 0.

    Args:
        model: The model that answers.
        id: The response's id.
        extra: Keys that stand on every response object.
    """

    def __init__(self, model: str = MODEL, id: str = "resp_testing1", **extra: Any) -> None:
        super().__init__()
        self._facts: dict[str, Any] = {"model": model, "id": id} | extra
        self._output: list[Item] = []
        self._number = 0

    def add(self, type: str, **keys: Any) -> Self:
        """Any event: its type, its keys, and the next sequence number."""
        self.event({"type": type, "sequence_number": self._number} | keys, type)
        self._number += 1
        return self

    def _snapshot(self, status: str, **keys: Any) -> dict[str, Any]:
        return response(output=self._output, status=status, **(self._facts | keys))

    # The response

    def created(self) -> Self:
        """The first event."""
        return self.add("response.created", response=self._snapshot("in_progress"))

    def in_progress(self) -> Self:
        """The second event."""
        return self.add("response.in_progress", response=self._snapshot("in_progress"))

    def completed(self, usage: dict[str, Any] | None = None) -> Self:
        """The terminal event of a whole answer, with usage."""
        return self.add("response.completed", response=self._snapshot("completed", usage=usage))

    def incomplete(
        self, reason: str = "max_output_tokens", usage: dict[str, Any] | None = None
    ) -> Self:
        """The terminal event of an answer that the provider stopped."""
        details = {"reason": reason}
        snapshot = self._snapshot("incomplete", usage=usage, incomplete_details=details)
        return self.add("response.incomplete", response=snapshot)

    def failed(self, code: str = "server_error", message: str = "The model failed.") -> Self:
        """The terminal event of an answer that failed."""
        error = {"code": code, "message": message}
        snapshot = self._snapshot("failed", error=error) | {"usage": None}
        return self.add("response.failed", response=snapshot)

    def error(self, code: str | None = "server_error", message: str = "It broke.") -> Self:
        """The error event, after which the server says no more."""
        return self.add("error", code=code, message=message, param=None)

    # Its items

    def item(self, started: Item, finished: Item, events: Iterable[tuple[str, Item]]) -> Self:
        """Any item: `added`, these (type, keys) events with its id and index, `done`."""
        index = len(self._output)
        place = {"item_id": finished["id"], "output_index": index}
        self.add("response.output_item.added", output_index=index, item=started)
        for type, keys in events:
            self.add(type, **(place | keys))
        self.add("response.output_item.done", output_index=index, item=finished)
        self._output.append(finished)
        return self

    def _id(self, prefix: str) -> str:
        return f"{prefix}_testing{len(self._output) + 1}"

    def text(self, words: Iterable[str]) -> Self:
        """A message item: one `output_text.delta` for each word."""
        words = list(words)
        finished = message_item("".join(words), self._id("msg"))
        return self._message(finished, "response.output_text", words, "text", {"logprobs": []})

    def refusal(self, words: Iterable[str]) -> Self:
        """A message item that refuses."""
        words = list(words)
        finished = message_item("".join(words), self._id("msg"), refusal=True)
        return self._message(finished, "response.refusal", words, "refusal", {})

    def _message(
        self, finished: Item, type: str, words: list[str], key: str, extra: dict[str, Any]
    ) -> Self:
        [part] = finished["content"]
        started = finished | {"status": "in_progress", "content": []}
        place: Item = {"content_index": 0}
        events = [("response.content_part.added", place | {"part": part | {key: ""}})]
        events += [(f"{type}.delta", place | {"delta": word} | extra) for word in words]
        events.append((f"{type}.done", place | {key: part[key]} | extra))
        events.append(("response.content_part.done", place | {"part": part}))
        return self.item(started, finished, events)

    def reasoning(self, words: Iterable[str], full: bool = False) -> Self:
        """A reasoning item: its summary, or with *full* its text (models of open weights)."""
        words = list(words)
        kind, place = ("text", {"content_index": 0}) if full else ("summary", {"summary_index": 0})
        type = "response.reasoning_text" if full else "response.reasoning_summary_text"
        part = {"type": "reasoning_text" if full else "summary_text", "text": "".join(words)}
        started: Item = {"id": self._id("rs"), "type": "reasoning", "summary": []}
        events: list[tuple[str, Item]] = [(f"{type}.delta", place | {"delta": w}) for w in words]
        events.append((f"{type}.done", place | {"text": part["text"]}))
        if not full:
            opened = place | {"part": part | {"text": ""}}
            events.insert(0, ("response.reasoning_summary_part.added", opened))
            events.append(("response.reasoning_summary_part.done", place | {"part": part}))
        finished = started | ({"content": [part]} if kind == "text" else {"summary": [part]})
        return self.item(started, finished, events)

    def function_call(self, call: ToolCall | None = None, custom: bool = False) -> Self:
        """A function call, or a call of a custom tool, whose input is free text."""
        call = call or ToolCall()
        pieces = [call.arguments] if isinstance(call.arguments, str) else call.arguments
        type = "custom_tool_call" if custom else "function_call"
        stem = f"response.{'custom_tool_call_input' if custom else 'function_call_arguments'}"
        key = "input" if custom else "arguments"
        finished: Item = {"id": self._id("fc"), "type": type, "call_id": call.id, "name": call.name}
        finished |= {"status": "completed", key: call.whole}
        events: list[tuple[str, Item]] = [(f"{stem}.delta", {"delta": piece}) for piece in pieces]
        ended = {key: call.whole} if custom else {key: call.whole, "name": call.name}
        events.append((f"{stem}.done", ended))
        return self.item(finished | {"status": "in_progress", key: ""}, finished, events)

    def hosted_tool(self, type: str = "web_search_call", **keys: Any) -> Self:
        """A tool that the provider runs, such as `web_search_call` or `file_search_call`."""
        finished: Item = {"id": self._id("ws"), "type": type, "status": "completed"} | keys
        steps = ("in_progress", "searching", "completed")
        events: list[tuple[str, Item]] = [(f"response.{type}.{step}", {}) for step in steps]
        return self.item(finished | {"status": "in_progress"}, finished, events)

    def web_search(self, query: str = "weather in Recife") -> Self:
        """A web search."""
        return self.hosted_tool(action={"type": "search", "query": query})


def response_text(
    words: Iterable[str], usage: dict[str, Any] | None = None, model: str = MODEL
) -> ResponseStream:
    """A whole text answer."""
    return ResponseStream(model).created().in_progress().text(words).completed(usage)


def response_tools(
    calls: Iterable[ToolCall] = (ToolCall(),),
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
) -> ResponseStream:
    """A whole answer of function calls only."""
    stream = ResponseStream(model).created().in_progress()
    for call in calls:
        stream.function_call(call)
    return stream.completed(usage)
