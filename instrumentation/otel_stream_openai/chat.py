"""Chat completions: chunks of a stream, and whole answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    Text,
    ToolCall,
)
from otel_stream.fields import fields_of, items_of
from otel_stream_openai import messages, request
from otel_stream_openai.errors import failure_of, failure_of_body
from otel_stream_openai.tool_calls import ToolCallKeys
from otel_stream_openai.usage import usage_of

__all__ = ["ChatCompletions", "ChatReader"]

Deltas = list[str | Delta]

_FACTS = {
    "service_tier": semconv.OPENAI_RESPONSE_SERVICE_TIER,
    "system_fingerprint": semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
}
_REASONING = ("reasoning_content", "reasoning", "thinking")
"""Where providers put reasoning. Some send the same text in two of them: the first one counts."""


class ChatReader:
    """Reads `ChatCompletionChunk`s, or the same as `Fields`.

    Args:
        choices: How many choices were asked for (`n`).
    """

    __slots__ = ("_asked", "_begun", "_finished", "_keys", "_seen")

    def __init__(self, choices: int = 1) -> None:
        self._asked = choices
        self._begun = False
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._keys = ToolCallKeys()

    def read(self, chunk: Any) -> Found:
        """What the chunk adds."""
        # The hot path: one choice with nothing but text, no finish reason, no usage.
        try:
            fields = chunk.__dict__
            (choice,) = fields["choices"]
            choice = choice.__dict__
            delta = choice["delta"]
            # One field set, and that is the content: no role, no tool, no provider's extra.
            if (
                len(delta.__pydantic_fields_set__) == 1
                and choice["finish_reason"] is None
                and fields["usage"] is None
                and not choice["index"]
                and self._begun
            ):
                text = delta.content
                if text.__class__ is str:
                    return text
        except (AttributeError, KeyError, TypeError, ValueError):
            pass  # Another shape, or a choice more or less.
        return self._read(chunk)

    def whole(self, done: bool) -> bool:
        """Whether a body that ended cleanly was whole (`docs/concepts.md`, outcomes).

        `[DONE]` counts when no choice has a finish reason at all; where some have, all seen must.
        """
        if done:
            return not self._finished or self._seen <= self._finished
        return bool(self._finished) and len(self._finished) >= self._expected

    def failure(self, error: BaseException) -> Failure | None:
        """The error event that the SDK raised as an `APIError`."""
        return failure_of(error)

    @property
    def _expected(self) -> int:
        return max(self._asked, len(self._seen))

    def _read(self, chunk: Any) -> Found:
        fields = fields_of(chunk)
        failed = failure_of_body(fields.get("error"))
        if failed is not None:
            return failed
        found: Deltas = []
        if not self._begun:
            found.append(self._response(fields))
        choices = [fields_of(choice) for choice in items_of(fields.get("choices"))]
        for choice in choices:
            found += self.choice(choice, choice.get("delta"))
        usage = self._usage(fields, choices)
        if usage is not None:
            found.append(usage)
        if self._finished and len(self._finished) >= self._expected:
            found.append(Terminal())
        return found

    def choice(self, choice: Mapping[str, Any], delta: Any) -> Deltas:
        """What `delta` adds to a choice: a part of its message, or the whole of it."""
        index = choice.get("index")
        index = index if isinstance(index, int) else 0
        self._seen.add(index)
        fields = fields_of(delta)
        found = [*_reasoning(fields, index), *_text(fields.get("content"), index)]
        refusal = fields.get("refusal")
        if isinstance(refusal, str):
            found.append(Refusal(refusal, index))
        transcript = fields_of(fields.get("audio")).get("transcript")
        if isinstance(transcript, str):  # What is said, without the bytes that say it.
            found.append(Text(transcript, index))
        found += self._tools(fields, index)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._finished.add(index)
            found.append(Finish(reason, index))
        return found

    def _response(self, chunk: Mapping[str, Any]) -> Response:
        """Who answers. Azure's first chunk has empty ids; the next one tells."""
        response = response_of(chunk)
        self._begun = bool(response.id and response.model)
        return response

    def _tools(self, delta: Mapping[str, Any], choice: int) -> Deltas:
        found: Deltas = []
        for call in items_of(delta.get("tool_calls")):
            fields = fields_of(call)
            function = fields_of(fields.get("function") or fields.get("custom"))
            name, identity = function.get("name"), fields.get("id")
            key = self._keys.key(choice, fields.get("index"), identity, name)
            found.append(_tool_call(key, function, identity, choice))
        legacy = fields_of(delta.get("function_call"))
        return [*found, _tool_call("function_call", legacy, None, choice)] if legacy else found

    def _usage(self, chunk: Mapping[str, Any], choices: list[Mapping[str, Any]]) -> Delta | None:
        """Usage stands on the chunk, in `x_groq`, or on a choice."""
        reported = chunk.get("usage")
        for place in (fields_of(chunk.get("x_groq")), *choices):
            if reported is None:
                reported = place.get("usage")
        if reported is None:
            return None
        # Providers that report with every chunk have counted only so far.
        final = not self._seen or len(self._finished) >= self._expected
        return usage_of(reported, final=final)


class ChatCompletions:
    """The endpoint `/chat/completions`."""

    def info(self, client: Any, body: dict[str, Any], streamed: bool) -> CallInfo:
        """What the request asks for."""
        return request.info(
            client,
            body,
            streamed,
            operation="chat",
            api="chat_completions",
            content=messages.of_chat,
        )

    def reader(self, body: dict[str, Any]) -> ChatReader:
        """A reader for the answer's stream."""
        count = body.get("n")
        return ChatReader(count if isinstance(count, int) and count > 0 else 1)

    def answer(self, answer: Any) -> Iterable[str | Delta]:
        """What a whole answer holds."""
        fields = fields_of(answer)
        yield response_of(fields)
        reader = ChatReader()
        for choice in items_of(fields.get("choices")):
            yield from reader.choice(fields_of(choice), fields_of(choice).get("message"))
        usage = usage_of(fields.get("usage"))
        if usage is not None:
            yield usage


def response_of(answer: Mapping[str, Any]) -> Response:
    """Who answered, by a chunk or a whole answer."""
    identity, model = answer.get("id"), answer.get("model")
    facts = {
        name: value
        for field, name in _FACTS.items()
        if isinstance(value := answer.get(field), str) and value
    }
    return Response(
        identity if isinstance(identity, str) and identity else None,
        model if isinstance(model, str) and model else None,
        facts or None,
    )


def _text(content: Any, choice: int) -> Deltas:
    """Text, or (Mistral) a list of typed parts."""
    if isinstance(content, str):
        return [Text(content, choice) if choice else content]
    return [delta for part in items_of(content) for delta in _part(fields_of(part), choice)]


def _part(part: Mapping[str, Any], choice: int) -> Deltas:
    text, thinking = part.get("text"), part.get("thinking")
    found: Deltas = [Text(text, choice)] if isinstance(text, str) else []
    for piece in thinking if isinstance(thinking, (list, tuple)) else [thinking]:
        inner = piece if isinstance(piece, str) else fields_of(piece).get("text")
        if isinstance(inner, str):
            found.append(Reasoning(inner, choice))
    return found


def _reasoning(delta: Mapping[str, Any], choice: int) -> Deltas:
    for field in _REASONING:
        text = delta.get(field)
        if isinstance(text, str) and text:
            return [Reasoning(text, choice)]
    return []


def _tool_call(key: Any, function: Mapping[str, Any], identity: Any, choice: int) -> ToolCall:
    name = function.get("name")
    arguments = function.get("arguments", function.get("input"))
    return ToolCall(
        key,
        name if isinstance(name, str) and name else None,
        identity if isinstance(identity, str) and identity else None,
        arguments if isinstance(arguments, str) else "",
        choice,
    )
