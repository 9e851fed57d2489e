"""One request that a `ProviderServer` got, and what became of its reply."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Request", "read_request"]


@dataclass(slots=True, eq=False)
class Request:
    """A request, complete with its body, and the record of its reply.

    Times are `time.perf_counter()` seconds, taken by the server's thread. On Linux that clock is
    the same in all processes, so they compare with a client's.
    """

    number: int
    """1 for the server's first request."""
    method: str
    path: str
    """Without the query."""
    query: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    received: float = field(default_factory=time.perf_counter)
    """When the whole request had been read."""
    headers_sent: float | None = None
    """Just before the status line and headers left."""
    sent: list[tuple[float, int]] = field(default_factory=list)
    """For each `Send`: the time just before its bytes left, and how many they were."""
    disconnected: threading.Event = field(default_factory=threading.Event)
    """Set when the client goes away before the reply is over."""
    finished: threading.Event = field(default_factory=threading.Event)
    """Set when the reply is over, whichever way: ended, cut, reset, or the client gone."""

    @property
    def id(self) -> str:
        """What the reply says in `x-request-id` and `request-id`."""
        return f"req_{self.number}"

    @property
    def json(self) -> Any:
        """The body, decoded. Raises `json.JSONDecodeError` when it is not JSON."""
        return json.loads(self.body)


async def read_request(reader: asyncio.StreamReader, first: bytes, number: int) -> Request:
    """Read one HTTP/1.1 request whose first bytes were *first*.

    Raises:
        asyncio.IncompleteReadError: The client closed the connection instead.
        ValueError: What came is no HTTP.
    """
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.strip().split("\r\n")
    method, target, _version = line.split(" ", 2)
    path, _, query = target.partition("?")
    pairs = (one.split(":", 1) for one in fields)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Request(number, method, path, query, headers, await read_body(reader, headers))


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """The request's body, by content-length or in chunks."""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while (await reader.readline()).strip():
        pass  # trailers
    return body
