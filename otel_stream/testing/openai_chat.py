"""Streams and answers of the Chat Completions API, and of the many servers that speak it.

    ChatStream().role().text(["Hello", " you"]).finish().done()      # the whole alphabet
    chat_text(["Hello", " you"], usage=chat_usage(9, 2))             # the frequent words

Format: https://platform.openai.com/docs/api-reference/chat-streaming; where other servers differ
(Azure, Groq, DeepSeek, OpenRouter, llama.cpp), the method says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self, TypeVar

from otel_stream.testing.sse import Events
from otel_stream.testing.tool_call import ToolCall

__all__ = [
    "ChatStream",
    "chat_choices",
    "chat_completion",
    "chat_reasoning",
    "chat_refusal",
    "chat_text",
    "chat_tools",
    "chat_usage",
    "openai_error",
]

MODEL = "gpt-5-mini-2025-08-07"
CREATED = 1_760_000_000

_T = TypeVar("_T")


def chat_usage(
    input: int = 9, output: int = 5, *, cached: int = 0, reasoning: int = 0
) -> dict[str, Any]:
    """The `usage` object of a chat answer."""
    return {
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }


class ChatStream(Events):
    """Events of one streamed chat answer, added one method after the other.

    Args:
        model: The model that answers.
        id: The answer's id.
        extra: Keys that stand on every chunk, such as `service_tier` or `provider`.
    """

    def __init__(self, model: str = MODEL, id: str = "chatcmpl-testing1", **extra: Any) -> None:
        super().__init__()
        self._head: dict[str, Any] = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": model,
        } | extra

    def chunk(self, choices: list[dict[str, Any]], **extra: Any) -> Self:
        """A chunk with these choices; *extra* are further or other keys of the chunk."""
        return self.event(self._head | {"choices": choices} | extra)

    def delta(
        self, delta: dict[str, Any], choice: int = 0, finish: str | None = None, **extra: Any
    ) -> Self:
        """A chunk with one choice and this delta."""
        one = {"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self.chunk([one], **extra)

    def role(self, choice: int = 0) -> Self:
        """The chunk that comes first: a role and empty text."""
        return self.delta({"role": "assistant", "content": "", "refusal": None}, choice)

    def text(self, words: Iterable[str], choice: int = 0) -> Self:
        """One chunk of text for each word."""
        for word in words:
            self.delta({"content": word}, choice)
        return self

    def reasoning(
        self, words: Iterable[str], field: str = "reasoning_content", choice: int = 0
    ) -> Self:
        """Reasoning in `reasoning_content` (DeepSeek, xAI) or `reasoning` (Groq, OpenRouter)."""
        for word in words:
            self.delta({"content": None, field: word}, choice)
        return self

    def refusal(self, words: Iterable[str], choice: int = 0) -> Self:
        """A refusal, which OpenAI keeps apart from the text."""
        for word in words:
            self.delta({"refusal": word}, choice)
        return self

    def tools(self, calls: Iterable[ToolCall], choice: int = 0, interleaved: bool = False) -> Self:
        """Tool calls: one after the other, or *interleaved*: a piece of each in turn.

        The helpers of the openai SDK take a call for whole when the next one begins.
        """
        told = [call.deltas() for call in calls]
        for one in _in_turn(told) if interleaved else [one for call in told for one in call]:
            self.delta({"tool_calls": [one]}, choice)
        return self

    def finish(self, reason: str | None = "stop", choice: int = 0, **extra: Any) -> Self:
        """The chunk with the finish reason; *extra* as `usage=` for servers that put it there."""
        return self.delta({}, choice, reason, **extra)

    def usage(self, usage: dict[str, Any] | None = None) -> Self:
        """The last chunk under `stream_options.include_usage`: usage and no choice."""
        return self.chunk([], usage=chat_usage() if usage is None else usage)

    def x_groq(self, usage: dict[str, Any] | None = None, reason: str = "stop") -> Self:
        """Groq's last chunk: usage only in `x_groq`."""
        times = {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.03}
        counted = (chat_usage() if usage is None else usage) | times
        return self.delta({}, 0, reason, x_groq={"id": "req_groq", "usage": counted})

    def prompt_filter(self) -> Self:
        """Azure's first chunk: what its filter thinks of the prompt, no id, no model, no choice."""
        verdict = {"hate": {"filtered": False, "severity": "safe"}}
        results = [{"prompt_index": 0, "content_filter_results": verdict}]
        blank = {"id": "", "model": "", "object": "", "created": 0}
        return self.chunk([], **blank, prompt_filter_results=results)

    def error(
        self, message: str = "The engine is on fire.", code: Any = "server_error", **extra: Any
    ) -> Self:
        """An error instead of the next chunk, with HTTP status 200 long sent."""
        body = {"message": message, "type": "server_error", "param": None, "code": code}
        return self.event({"error": body | extra})

    def done(self) -> Self:
        """`[DONE]`, the wire's own end mark."""
        return self.event("[DONE]")


def chat_text(
    words: Iterable[str],
    finish: str | None = "stop",
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
    role_chunk: bool = True,
    done: bool = True,
) -> ChatStream:
    """A text answer. `finish=None` leaves the finish reason out, `done=False` the `[DONE]`."""
    stream = ChatStream(model)
    if role_chunk:
        stream.role()
    return _close(stream.text(words), finish, usage, done)


def chat_tools(
    calls: Iterable[ToolCall] = (ToolCall(),),
    finish: str | None = "tool_calls",
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
    interleaved: bool = False,
) -> ChatStream:
    """An answer of tool calls only; see `ToolCall` for the odd ones."""
    return _close(ChatStream(model).role().tools(calls, interleaved=interleaved), finish, usage)


def chat_reasoning(
    thoughts: Iterable[str],
    words: Iterable[str],
    field: str = "reasoning_content",
    usage: dict[str, Any] | None = None,
    model: str = "deepseek-reasoner",
) -> ChatStream:
    """An answer that reasons first, in the field that the server uses for it."""
    stream = ChatStream(model).role().reasoning(thoughts, field).text(words)
    return _close(stream, "stop", usage)


def chat_refusal(
    words: Iterable[str], usage: dict[str, Any] | None = None, model: str = MODEL
) -> ChatStream:
    """An answer that refuses."""
    return _close(ChatStream(model).role().refusal(words), "stop", usage)


def chat_choices(
    choices: Sequence[Sequence[str]],
    finish: Sequence[str | None] | None = None,
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
) -> ChatStream:
    """An answer with n > 1: the choices' words in turn.

    Args:
        choices: The words of each choice.
        finish: The finish reason of each choice; None leaves it out. By default all `stop`.
        usage: If given, a last chunk with usage.
        model: The model that answers.
    """
    stream = ChatStream(model)
    for choice in range(len(choices)):
        stream.role(choice)
    told = [[(choice, word) for word in words] for choice, words in enumerate(choices)]
    for choice, word in _in_turn(told):
        stream.text([word], choice)
    for choice, reason in enumerate(["stop"] * len(choices) if finish is None else finish):
        if reason is not None:
            stream.finish(reason, choice)
    return _close(stream, None, usage)


def chat_completion(
    text: str | None = "Hello you",
    *,
    finish: str = "stop",
    usage: dict[str, Any] | None = None,
    tools: Iterable[ToolCall] = (),
    reasoning: str | None = None,
    refusal: str | None = None,
    model: str = MODEL,
) -> dict[str, Any]:
    """The JSON body of a chat answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls := list(tools):
        functions = [{"name": call.name, "arguments": call.whole} for call in calls]
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": function}
            for call, function in zip(calls, functions, strict=True)
        ]
    return {
        "id": "chatcmpl-testing1",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": chat_usage() if usage is None else usage,
    }


def openai_error(
    message: str = "Too many requests.", type: str = "rate_limit_exceeded", code: str | None = None
) -> dict[str, Any]:
    """The JSON body with which OpenAI answers an HTTP error."""
    return {"error": {"message": message, "type": type, "param": None, "code": code or type}}


def _close(
    stream: ChatStream, finish: str | None, usage: dict[str, Any] | None, done: bool = True
) -> ChatStream:
    if finish is not None:
        stream.finish(finish)
    if usage is not None:
        stream.usage(usage)
    return stream.done() if done else stream


def _in_turn(rows: Sequence[Sequence[_T]]) -> list[_T]:
    longest = max(map(len, rows), default=0)
    return [row[place] for place in range(longest) for row in rows if place < len(row)]
