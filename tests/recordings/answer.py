"""What a span says of an answer, in the words of the recordings."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Answer"]


class Answer:
    """Reads the attributes of a span with captured content."""

    def __init__(self, span: ReadableSpan) -> None:
        self.attributes: dict[str, Any] = dict(span.attributes or {})
        self._messages = json.loads(self.attributes.get("gen_ai.output.messages", "[]"))

    @property
    def outcome(self) -> Any:
        return self.attributes["otel_stream.outcome"]

    @property
    def chunks(self) -> Any:
        return self.attributes["otel_stream.chunk.count"]

    @property
    def size(self) -> Any:
        return self.attributes["otel_stream.content.size"]

    @property
    def texts(self) -> dict[int, str]:
        """The text of each choice that has any, refusals included."""
        told = {
            n: self._joined("text", message) + self._joined("refusal", message)
            for n, message in enumerate(self._messages)
        }
        return {choice: text for choice, text in told.items() if text}

    @property
    def reasoning(self) -> str:
        """The reasoning of the first choice."""
        return self._joined("reasoning", self._messages[0]) if self._messages else ""

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The calls that the application answers, of the first choice."""
        parts = self._messages[0]["parts"] if self._messages else []
        return [
            {name: part[name] for name in ("id", "name", "arguments")}
            for part in parts
            if part["type"] == "tool_call"
        ]

    @property
    def finish_reasons(self) -> list[str]:
        return list(self.attributes.get("gen_ai.response.finish_reasons", ()))

    @property
    def usage(self) -> tuple[int | None, int | None]:
        """Input and output tokens."""
        names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
        input, output = (self.attributes.get(name) for name in names)
        return input, output

    def _joined(self, kind: str, message: dict[str, Any]) -> str:
        return "".join(part["content"] for part in message["parts"] if part["type"] == kind)
