"""Streams and answers of the legacy Completions API.

Format: https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from otel_stream.testing.openai_chat import CREATED, chat_usage
from otel_stream.testing.sse import Events

__all__ = ["CompletionStream", "completion", "completion_text"]

MODEL = "gpt-3.5-turbo-instruct"


class CompletionStream(Events):
    """Events of one streamed completion, added one method after the other."""

    def __init__(self, model: str = MODEL, id: str = "cmpl-testing1") -> None:
        super().__init__()
        self._head = {"id": id, "object": "text_completion", "created": CREATED, "model": model}

    def text(self, words: Iterable[str], choice: int = 0, finish: str | None = None) -> Self:
        """One chunk of text for each word. Some servers put the finish reason there too."""
        for word in words:
            one = {"text": word, "index": choice, "logprobs": None, "finish_reason": finish}
            self.event(self._head | {"choices": [one]})
        return self

    def finish(self, reason: str = "stop", choice: int = 0) -> Self:
        """The chunk with the finish reason and empty text."""
        return self.text([""], choice, reason)

    def usage(self, usage: dict[str, Any] | None = None) -> Self:
        """The last chunk under `stream_options.include_usage`."""
        return self.event(self._head | {"choices": [], "usage": usage or chat_usage()})

    def done(self) -> Self:
        """`[DONE]`, the wire's own end mark."""
        return self.event("[DONE]")


def completion_text(
    words: Iterable[str],
    finish: str | None = "stop",
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
    done: bool = True,
) -> CompletionStream:
    """A streamed completion."""
    stream = CompletionStream(model).text(words)
    if finish is not None:
        stream.finish(finish)
    if usage is not None:
        stream.usage(usage)
    return stream.done() if done else stream


def completion(
    text: str = "Hello you",
    *,
    finish: str = "stop",
    usage: dict[str, Any] | None = None,
    model: str = MODEL,
) -> dict[str, Any]:
    """The JSON body of a completion that is not streamed."""
    return {
        "id": "cmpl-testing1",
        "object": "text_completion",
        "created": CREATED,
        "model": model,
        "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}],
        "usage": usage or chat_usage(),
    }
