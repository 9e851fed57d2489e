"""What a call asks for, told by an instrumentor before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from opentelemetry.trace import SpanKind

from otel_stream import semconv
from otel_stream.attributes import encodable, sound

__all__ = ["UNKNOWN", "CallInfo", "Content"]

UNKNOWN = "unknown"
"""The provider of a call that does not name one."""

Content = dict[str, Any]
"""Content attributes of the request by name (`gen_ai.input.messages`, …), not yet bounded."""


class CallInfo(msgspec.Struct, kw_only=True):
    """One call, in the convention's terms.

    Attributes:
        operation: `chat`, `text_completion`, …
        provider: `openai`, `anthropic`, `x_ai`, …
        model: The requested model, if any.
        server_address, server_port: Where the call goes.
        attributes: Further request attributes, of the convention's types.
        content: Gives the request's content. Called only when content is captured.
        name: The span's name; by the convention if not given.
        streamed: Whether the answer is streamed.
        kind: CLIENT where the call leaves the process, INTERNAL for an agent that runs in it.
    """

    operation: str
    provider: str
    model: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)
    content: Callable[[], Content] | None = None
    name: str | None = None
    streamed: bool = True
    kind: SpanKind = SpanKind.CLIENT

    def __post_init__(self) -> None:
        self.model = encodable(self.model) if self.model is not None else None
        self.attributes = sound(self.attributes)

    @property
    def span_name(self) -> str:
        """`{operation} {model}`, or the operation alone."""
        return self.name or (f"{self.operation} {self.model}" if self.model else self.operation)

    def labels(self) -> dict[str, Any]:
        """What metrics are labelled with, as far as the request tells."""
        labels = {
            semconv.OPERATION_NAME: self.operation,
            semconv.PROVIDER_NAME: self.provider,
            semconv.REQUEST_MODEL: self.model,
            semconv.SERVER_ADDRESS: self.server_address,
        }
        return {name: value for name, value in labels.items() if value is not None}

    def span_attributes(self) -> dict[str, Any]:
        """What the span has from its start, where a sampler can see it."""
        found = self.labels()
        if self.server_address is not None and self.server_port is not None:
            found[semconv.SERVER_PORT] = self.server_port
        if self.streamed:
            found[semconv.REQUEST_STREAM] = True
        found.update(self.attributes)
        return found
