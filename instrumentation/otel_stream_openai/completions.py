"""Legacy completions: text choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from otel_stream.call import CallInfo
from otel_stream.delta import Delta, Failure, Finish, Found, Terminal, Text
from otel_stream.fields import fields_of, items_of
from otel_stream_openai import messages, request
from otel_stream_openai.chat import response_of
from otel_stream_openai.errors import failure_of, failure_of_body
from otel_stream_openai.usage import usage_of

__all__ = ["Completions"]


class CompletionReader:
    """Reads `Completion` objects: in a stream each holds the next piece of each choice."""

    __slots__ = ("_asked", "_finished", "_seen")

    def __init__(self, choices: int = 1) -> None:
        self._asked = choices
        self._seen: set[int] = set()
        self._finished: set[int] = set()

    def read(self, chunk: Any) -> Found:
        """What the chunk adds."""
        fields = fields_of(chunk)
        failed = failure_of_body(fields.get("error"))
        if failed is not None:
            return failed
        found: list[str | Delta] = [] if self._seen else [response_of(fields)]
        for choice in items_of(fields.get("choices")):
            found += self._choice(fields_of(choice))
        usage = usage_of(fields.get("usage"), final=self._all_finished)
        if usage is not None:
            found.append(usage)
        if self._all_finished:
            found.append(Terminal())
        return found

    def whole(self, done: bool) -> bool:
        """See `ChatReader.whole`."""
        if done:
            return not self._finished or self._seen <= self._finished
        return self._all_finished

    def failure(self, error: BaseException) -> Failure | None:
        """The error event that the SDK raised as an `APIError`."""
        return failure_of(error)

    @property
    def _all_finished(self) -> bool:
        return bool(self._finished) and len(self._finished) >= max(self._asked, len(self._seen))

    def _choice(self, choice: Mapping[str, Any]) -> list[str | Delta]:
        index = choice.get("index")
        index = index if isinstance(index, int) else 0
        self._seen.add(index)
        found: list[str | Delta] = []
        text = choice.get("text")
        if isinstance(text, str):
            found.append(Text(text, index))
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._finished.add(index)
            found.append(Finish(reason, index))
        return found


class Completions:
    """The endpoint `/completions`."""

    def info(self, client: Any, body: dict[str, Any], streamed: bool) -> CallInfo:
        """What the request asks for."""
        return request.info(
            client,
            body,
            streamed,
            operation="text_completion",
            api=None,
            content=messages.of_completion,
        )

    def reader(self, body: dict[str, Any]) -> CompletionReader:
        """A reader for the answer's stream."""
        count, prompt = body.get("n"), body.get("prompt")
        prompts = len(prompt) if isinstance(prompt, list) and _are_prompts(prompt) else 1
        return CompletionReader(prompts * (count if isinstance(count, int) and count > 0 else 1))

    def answer(self, answer: Any) -> Iterable[str | Delta]:
        """What a whole answer holds."""
        found = CompletionReader().read(answer)
        return found if isinstance(found, list) else []


def _are_prompts(prompt: list[Any]) -> bool:
    """A list of texts or token lists is many prompts; a list of tokens is one."""
    return bool(prompt) and not isinstance(prompt[0], int)
