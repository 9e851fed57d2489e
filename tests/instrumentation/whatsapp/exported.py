"""All that leaves a process: every byte of the signals, also those that are encoded in them."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from otel_stream.testing import Captured

__all__ = ["leaks"]

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{8,}")


def leaks(captured: Captured, *secrets: str) -> list[str]:
    """Which of `secrets` stand in what is exported."""
    said = "\n".join(_signals(captured))
    said += "\n".join(_decoded(said))
    return [secret for secret in secrets if secret in said]


def _signals(captured: Captured) -> Iterator[str]:
    for span in captured.spans():
        yield span.to_json()
        yield repr([dict(link.attributes or {}) for link in span.links])
        yield repr([(event.name, dict(event.attributes or {})) for event in span.events])
    yield repr(captured.metrics())
    for record in captured.logs():
        yield repr((record.body, record.attributes, record.event_name))


def _decoded(said: str) -> Iterator[str]:
    for found in _ENCODED.findall(said):
        for text in (found, found.replace("-", "+").replace("_", "/")):
            try:
                yield b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
            except (Error, ValueError):
                continue
