"""A message to a person, before it is sent."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_stream import semconv
from otel_stream.delivery.identity import hidden, hidden_instance, person_of

__all__ = ["Message"]

_NO_BUBBLES = frozenset({"reaction", "status"})
"""Kinds that show nothing new in the person's chat."""


class Message(msgspec.Struct, kw_only=True):
    """What is to be sent.

    Attributes:
        system: The channel.
        kind: `text`, `media`, `audio`, `sticker`, `contact`, `reaction`, …
        recipient: Number or JID; leaves as a keyed hash only.
        text: What it says. Leaves only where content is captured.
        size: Bytes of what it says; by default those of the text.
        instance: The channel's instance.
        server_address, server_port: Where it goes.
        typing_time: Seconds that the channel itself shows typing before it accepts the message.
        ready_at: When it was ready to be sent, by the clock of the send; None if at once.
    """

    system: str = "whatsapp"
    kind: str = "text"
    recipient: str = ""
    text: str | None = None
    size: int | None = None
    instance: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    typing_time: float = 0.0
    ready_at: float | None = None

    @property
    def is_bubble(self) -> bool:
        """Whether it stands in the person's chat as a message of its own."""
        return self.kind not in _NO_BUBBLES

    @property
    def words(self) -> int | None:
        """The same for the same text to the same person; None where one cannot tell."""
        if self.kind != "text" or not self.text:
            return None
        return hash((self.system, person_of(self.recipient), self.text))

    def attributes(self) -> dict[str, Any]:
        """What the span has from its start."""
        size = self.size
        if size is None and self.text is not None:
            size = len(self.text.encode("utf-8", "replace"))
        found = {
            semconv.MESSAGING_SYSTEM: self.system,
            semconv.MESSAGING_OPERATION_NAME: "send",
            semconv.MESSAGING_OPERATION_TYPE: "send",
            semconv.MESSAGING_BODY_SIZE: size,
            semconv.DELIVERY_KIND: self.kind,
            semconv.DELIVERY_RECIPIENT: hidden(self.recipient) or None,
            semconv.CHANNEL_INSTANCE: hidden_instance(self.instance) or None,
            semconv.SERVER_ADDRESS: self.server_address,
            semconv.SERVER_PORT: self.server_port,
        }
        return {name: value for name, value in found.items() if value is not None}
