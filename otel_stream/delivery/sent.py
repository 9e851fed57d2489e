"""A message that a channel has accepted: what is kept of it until its statuses come."""

from __future__ import annotations

from typing import Protocol

import msgspec
from opentelemetry.trace import SpanContext, TraceFlags

from otel_stream.delivery.status import Status

__all__ = ["DeliveryStore", "Sent"]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message stands in its trace, and when it was accepted. Nothing personal.

    Attributes:
        trace_id, span_id, flags: Of the span of its sending.
        system: The channel: `whatsapp`.
        accepted_at: Unix seconds, since another process may be told of what becomes of it.
    """

    trace_id: int
    span_id: int
    flags: int
    system: str
    accepted_at: float

    @property
    def span_context(self) -> SpanContext:
        """The span of its sending, as a parent or a link."""
        return SpanContext(self.trace_id, self.span_id, True, TraceFlags(self.flags))


class DeliveryStore(Protocol):
    """Keeps messages by id until their statuses come. Bounded; called from any thread.

    Ids come as the channel gives them, or are what a message carried (up to 512 characters). So a
    store is a place for personal data where a channel's ids hold a number (the Cloud API's do).
    What it raises is logged once and counted.
    """

    def put(self, message_id: str, sent: Sent) -> None:
        """Keep a message that was accepted."""
        ...

    def find(self, message_id: str) -> Sent | None:
        """The message with this id, if it is kept."""
        ...

    def mark(self, message_id: str, status: Status) -> bool:
        """Note how far a kept message has come. Returns whether that is news.

        Must be atomic: of two that mark the same, one only has news.
        """
        ...
