"""Streams and answers of Anthropic's Messages API.

    MessageStream().start().text(["Hello", " you"]).delta("end_turn").stop()
    message_text(["Hello", " you"])             # the same, with a ping

Format: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from otel_stream.testing.sse import Events

__all__ = [
    "MessageStream",
    "anthropic_error",
    "citation",
    "message",
    "message_text",
    "message_thinking",
    "message_tools",
    "message_usage",
]

MODEL = "claude-sonnet-4-5-20250929"
Block = dict[str, Any]
_ARGUMENTS = ('{"city":', ' "Recife"', "}")


def message_usage(
    input: int = 9,
    output: int = 5,
    *,
    cache_read: int = 0,
    cache_creation: int = 0,
    **extra: Any,
) -> dict[str, Any]:
    """The `usage` object of a message. *input* excludes the cached tokens, as on the wire."""
    return {
        "input_tokens": input,
        "cache_creation_input_tokens": cache_creation,
        "cache_read_input_tokens": cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cache_creation,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output,
        "service_tier": "standard",
    } | extra


def message(
    text: str = "Hello you",
    *,
    content: Sequence[Block] | None = None,
    stop_reason: str | None = "end_turn",
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
    id: str = "msg_testing1",
    **extra: Any,
) -> dict[str, Any]:
    """A message object: the JSON body of an answer that is not streamed.

    Args:
        text: The answer, unless *content* is given.
        content: The content blocks.
        stop_reason: Why it ended; None while it is streamed.
        usage: See `message_usage`, whose defaults it is otherwise.
        model: The model that answers.
        id: The message's id.
        extra: Further or other keys.
    """
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}] if content is None else list(content),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": message_usage() if usage is None else usage,
    } | extra


class MessageStream(Events):
    """Events of one streamed message, added one method after the other; blocks count from 0.

    Args:
        model: The model that answers.
        id: The message's id.
    """

    def __init__(self, model: str = MODEL, id: str = "msg_testing1") -> None:
        super().__init__()
        self._model = model
        self._id = id
        self._blocks = 0

    def add(self, type: str, **keys: Any) -> Self:
        """Any event: its type and its keys."""
        return self.event({"type": type} | keys, type)

    # The message

    def start(self, usage: dict[str, Any] | None = None) -> Self:
        """`message_start`: id, model, and a first usage that is not final."""
        first = message_usage(output=1) if usage is None else usage
        opened = message(content=(), stop_reason=None, usage=first, model=self._model, id=self._id)
        return self.add("message_start", message=opened)

    def ping(self) -> Self:
        """`ping`, which may come anywhere."""
        return self.add("ping")

    def delta(
        self,
        stop_reason: str | None = "end_turn",
        usage: dict[str, Any] | None = None,
        stop_sequence: str | None = None,
        **extra: Any,
    ) -> Self:
        """`message_delta`: why it ended, and cumulative usage (only `output_tokens` is sure)."""
        ended = {"stop_reason": stop_reason, "stop_sequence": stop_sequence} | extra
        counted = {"output_tokens": 5} if usage is None else usage
        return self.add("message_delta", delta=ended, usage=counted)

    def stop(self) -> Self:
        """`message_stop`, the terminal event."""
        return self.add("message_stop")

    def error(self, type: str = "overloaded_error", message: str = "Overloaded") -> Self:
        """`error` instead of the next event, with HTTP status 200 long sent."""
        return self.event(anthropic_error(type, message), "error")

    # Its content blocks

    def block(self, opened: Block, deltas: Iterable[Block] = (), stop: bool = True) -> Self:
        """Any content block: start, deltas, and unless *stop* is false its stop."""
        index = self._blocks
        self._blocks += 1
        self.add("content_block_start", index=index, content_block=opened)
        for one in deltas:
            self.add("content_block_delta", index=index, delta=one)
        return self.add("content_block_stop", index=index) if stop else self

    def text(
        self, words: Iterable[str], citations: Iterable[Block] = (), stop: bool = True
    ) -> Self:
        """A text block: one delta for each word, then one for each citation (see `citation`)."""
        deltas: list[Block] = [{"type": "text_delta", "text": word} for word in words]
        deltas += [{"type": "citations_delta", "citation": one} for one in citations]
        return self.block({"type": "text", "text": ""}, deltas, stop)

    def thinking(self, words: Iterable[str], signature: str = "c2lnbmVk") -> Self:
        """A thinking block, which ends with its signature."""
        deltas: list[Block] = [{"type": "thinking_delta", "thinking": word} for word in words]
        deltas.append({"type": "signature_delta", "signature": signature})
        return self.block({"type": "thinking", "thinking": "", "signature": ""}, deltas)

    def redacted_thinking(self, data: str = "ZW5jcnlwdGVk") -> Self:
        """A thinking block that nobody can read; it has no deltas."""
        return self.block({"type": "redacted_thinking", "data": data})

    def tool_use(
        self,
        name: str = "get_weather",
        arguments: Iterable[str] = _ARGUMENTS,
        id: str = "toolu_1",
        type: str = "tool_use",
    ) -> Self:
        """A tool call: an empty `input`, then its JSON in pieces."""
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in arguments]
        return self.block({"type": type, "id": id, "name": name, "input": {}}, deltas)

    def web_search(
        self, query: str = "weather in Recife", id: str = "srvtoolu_1", results: int = 1
    ) -> Self:
        """A web search that the provider runs: `server_tool_use` and its result."""
        self.tool_use("web_search", [f'{{"query": "{query}"}}'], id, "server_tool_use")
        found = [
            {
                "type": "web_search_result",
                "title": f"Page {number}",
                "url": f"https://example.com/{number}",
                "encrypted_content": "cGFnZQ==",
                "page_age": None,
            }
            for number in range(1, results + 1)
        ]
        kind = "web_search_tool_result"
        return self.block({"type": kind, "tool_use_id": id, "content": found})


def citation(cited: str = "It rains in Recife.") -> Block:
    """What a `citations_delta` holds for a place in a plain text document."""
    return {
        "type": "char_location",
        "cited_text": cited,
        "document_index": 0,
        "document_title": "Weather",
        "start_char_index": 0,
        "end_char_index": len(cited),
    }


def message_text(
    words: Iterable[str],
    stop_reason: str = "end_turn",
    usage: dict[str, Any] | None = None,
    output_tokens: int = 5,
    model: str = MODEL,
    ping: bool = True,
) -> MessageStream:
    """A whole text answer. *usage* is that of `message_start`, *output_tokens* the final count."""
    stream = MessageStream(model).start(usage)
    if ping:
        stream.ping()
    return stream.text(words).delta(stop_reason, {"output_tokens": output_tokens}).stop()


def message_thinking(
    thoughts: Iterable[str], words: Iterable[str], model: str = MODEL
) -> MessageStream:
    """A whole answer that thinks first."""
    return MessageStream(model).start().thinking(thoughts).text(words).delta().stop()


def message_tools(
    names: Sequence[str] = ("get_weather",),
    arguments: Sequence[str] = _ARGUMENTS,
    model: str = MODEL,
) -> MessageStream:
    """A whole answer of one tool call for each name (ids `toolu_1`, `toolu_2`, …)."""
    stream = MessageStream(model).start()
    for number, name in enumerate(names, 1):
        stream.tool_use(name, arguments, f"toolu_{number}")
    return stream.delta("tool_use").stop()


def anthropic_error(
    type: str = "rate_limit_error", message: str = "Too many requests."
) -> dict[str, Any]:
    """The JSON body with which Anthropic answers an HTTP error, and the data of its error event."""
    return {"type": "error", "error": {"type": type, "message": message}}
