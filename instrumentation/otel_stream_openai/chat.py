"""Chat completions: chunks of a stream, and whole answers."""

from __future__ import annotations

from collections.abc import Iterable
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
from otel_stream_openai import messages, request
from otel_stream_openai.errors import failure_of, failure_of_body
from otel_stream_openai.tool_calls import ToolCallKeys
from otel_stream_openai.usage import usage_of

__all__ = ["ChatCompletions", "ChatReader"]

Deltas = list[str | Delta]

_PLAIN = frozenset({"content"})
"""The fields of a delta that is text and nothing else: all but a few chunks of a usual stream."""

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
            if (
                delta.__pydantic_fields_set__ == _PLAIN
                and choice["finish_reason"] is None
                and choice["index"] == 0
                and fields["usage"] is None
                and self._begun
            ):
                text = delta.content
                if text.__class__ is str:
                    return text  # type: ignore[no-any-return]
        except (AttributeError, KeyError, TypeError, ValueError):
            pass  # Another shape, or a choice more or less.
        return self._read(chunk)

    def whole(self, done: bool) -> bool:
        """Whether a body that ended cleanly was whole: see DESIGN of outcomes in `docs/concepts.md`.

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
        failed = failure_of_body(getattr(chunk, "error", None))
        if failed is not None:
            return failed
        found: Deltas = []
        if not self._begun:
            found += self._response(chunk)
        choices = getattr(chunk, "choices", None) or ()
        for choice in choices:
            found += self._choice(choice)
        usage = self._usage(chunk, choices)
        if usage is not None:
            found.append(usage)
        if self._finished and len(self._finished) >= self._expected:
            found.append(Terminal())
        return found

    def _response(self, chunk: Any) -> Deltas:
        """Who answers. Azure's first chunk has empty ids; the next one tells."""
        identity, model = getattr(chunk, "id", None), getattr(chunk, "model", None)
        self._begun = bool(identity and model)
        return [Response(identity or None, model or None, _facts(chunk))]

    def _choice(self, choice: Any) -> Deltas:
        index = getattr(choice, "index", None)
        index = index if isinstance(index, int) else 0
        self._seen.add(index)
        found: Deltas = []
        delta = getattr(choice, "delta", None)
        if delta is not None:
            found += _reasoning(delta, index)
            found += _text(getattr(delta, "content", None), index)
            refusal = getattr(delta, "refusal", None)
            if isinstance(refusal, str):
                found.append(Refusal(refusal, index))
            found += _audio(delta, index)
            found += self._tools(delta, index)
        reason = getattr(choice, "finish_reason", None)
        if isinstance(reason, str) and reason:
            self._finished.add(index)
            found.append(Finish(reason, index))
        return found

    def _tools(self, delta: Any, choice: int) -> Deltas:
        calls = list(getattr(delta, "tool_calls", None) or ())
        found: Deltas = []
        for call in calls:
            function = getattr(call, "function", None)
            name, arguments = getattr(function, "name", None), getattr(function, "arguments", None)
            key = self._keys.key(choice, getattr(call, "index", None), getattr(call, "id", None), name)
            found.append(_tool_call(key, name, getattr(call, "id", None), arguments, choice))
        legacy = getattr(delta, "function_call", None)
        if legacy is not None:
            name, arguments = getattr(legacy, "name", None), getattr(legacy, "arguments", None)
            found.append(_tool_call("function_call", name, None, arguments, choice))
        return found

    def _usage(self, chunk: Any, choices: Iterable[Any]) -> Delta | None:
        """Usage stands on the chunk, in `x_groq`, or on a choice."""
        groq = getattr(getattr(chunk, "x_groq", None), "usage", None) or _get(chunk, "x_groq", "usage")
        places = [getattr(chunk, "usage", None), groq]
        places += [getattr(choice, "usage", None) for choice in choices]
        reported = next((p for p in places if p is not None), None)
        # Providers that report with every chunk have counted only so far.
        final = not self._seen or len(self._finished) >= self._expected
        return usage_of(_fields(reported), final=final)


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
        model, identity = getattr(answer, "model", None), getattr(answer, "id", None)
        yield Response(identity or None, model or None, _facts(answer))
        reader = ChatReader()
        for choice in getattr(answer, "choices", None) or ():
            yield from reader._choice(_AsChunk(choice))
        usage = usage_of(_fields(getattr(answer, "usage", None)))
        if usage is not None:
            yield usage


class _AsChunk:
    """A choice of a whole answer, read like one of a chunk: its message is all of its delta."""

    def __init__(self, choice: Any) -> None:
        self.index = getattr(choice, "index", None)
        self.finish_reason = getattr(choice, "finish_reason", None)
        self.delta = getattr(choice, "message", None)


def _facts(answer: Any) -> dict[str, Any]:
    places = {
        "service_tier": semconv.OPENAI_RESPONSE_SERVICE_TIER,
        "system_fingerprint": semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
    }
    found = {name: getattr(answer, field, None) for field, name in places.items()}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _text(content: Any, choice: int) -> Deltas:
    """Text, or (Mistral) a list of typed parts."""
    if isinstance(content, str):
        return [Text(content, choice) if choice else content]
    found: Deltas = []
    for part in content if isinstance(content, (list, tuple)) else ():
        text = _get(part, "text")
        thinking = _get(part, "thinking")
        if isinstance(text, str):
            found.append(Text(text, choice))
        for piece in thinking if isinstance(thinking, (list, tuple)) else [thinking]:
            inner = piece if isinstance(piece, str) else _get(piece, "text")
            if isinstance(inner, str):
                found.append(Reasoning(inner, choice))
    return found


def _reasoning(delta: Any, choice: int) -> Deltas:
    for field in _REASONING:
        text = getattr(delta, field, None)
        if isinstance(text, str) and text:
            return [Reasoning(text, choice)]
    return []


def _audio(delta: Any, choice: int) -> Deltas:
    """What is said, without the bytes that say it."""
    transcript = _get(getattr(delta, "audio", None), "transcript")
    return [Text(transcript, choice)] if isinstance(transcript, str) else []


def _tool_call(key: Any, name: Any, identity: Any, arguments: Any, choice: int) -> ToolCall:
    return ToolCall(
        key,
        name if isinstance(name, str) and name else None,
        identity if isinstance(identity, str) and identity else None,
        arguments if isinstance(arguments, str) else "",
        choice,
    )


def _get(value: Any, *path: str) -> Any:
    """A field by its path, through models and dictionaries alike."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def _fields(value: Any) -> Any:
    """Extra fields come as plain dictionaries: read them like models."""
    from otel_stream.raw import Fields

    if isinstance(value, dict) and not isinstance(value, Fields):
        return Fields({name: _fields(item) for name, item in value.items()})
    return value
