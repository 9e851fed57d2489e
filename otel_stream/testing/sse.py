"""Server-sent events as bytes.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Self

__all__ = ["Events", "crlf", "pieces"]


class Events(list[bytes]):
    """A list of events, each as the bytes that go over the wire. Slices are plain lists."""

    def event(self, data: Any, name: str | None = None) -> Self:
        """Add an event: *data* as compact JSON (a `str` as it is), under *name* if given."""
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        head = f"event: {name}\n" if name else ""
        self.append(f"{head}data: {text}\n\n".encode())
        return self

    def comment(self, text: str = "keep-alive") -> Self:
        """Add a comment, which carries no data: what servers and proxies send to keep alive."""
        self.append(f": {text}\n\n".encode())
        return self


def crlf(events: Iterable[bytes]) -> list[bytes]:
    """The same events with CRLF line ends, as some servers send them."""
    return [event.replace(b"\n", b"\r\n") for event in events]


def pieces(events: Iterable[bytes], size: int) -> list[bytes]:
    """The same bytes cut into pieces of *size* bytes, across events and characters."""
    body = b"".join(events)
    return [body[start : start + size] for start in range(0, len(body), size)]
