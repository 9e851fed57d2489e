"""What one call of pywa's inner API sends."""

from __future__ import annotations

from typing import Any

from otel_stream.delivery.incoming import CLOUD_KINDS
from otel_stream.delivery.send import Message
from otel_stream_pywa.arguments import Arguments

__all__ = ["message_of", "server_of"]

_TEXTS = {"text": "body", "reaction": "emoji", "interactive": "body"}
"""Where a message of such a type has what a person reads; those with media, in their caption."""
_PORTS = {"http": 80, "https": 443}


def message_of(arguments: Arguments) -> Message:
    """The message of `send_message` or `send_marketing_message`."""
    kind = arguments.text("typ") or "template"
    address, port = server_of(arguments["self"])
    return Message(
        kind=CLOUD_KINDS.get(kind, kind),
        recipient=arguments.text("to") or arguments.text("recipient"),
        text=_text(kind, arguments["msg"]),
        instance=arguments.text("sender"),
        server_address=address,
        server_port=port,
    )


def server_of(api: Any) -> tuple[str | None, int | None]:
    """Where the requests of a pywa client go."""
    url = getattr(getattr(api, "_session", None), "base_url", None)
    if url is None:
        return None, None
    return url.host, url.port or _PORTS.get(url.scheme)


def _text(kind: str, content: Any) -> str | None:
    if not isinstance(content, dict):
        return None
    found = content.get(_TEXTS.get(kind, "caption"))
    if isinstance(found, dict):  # An interactive message says it one deeper.
        found = found.get("text")
    return found if isinstance(found, str) else None
