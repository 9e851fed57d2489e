"""An incremental parser of server-sent events.

Follows the WHATWG HTML standard, section 9.2.6: UTF-8 with an optional byte order mark, lines ended
by CR, LF or CRLF, comments, multi-line data. An event that no blank line ends is not dispatched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["SSEParser", "ServerSentEvent"]

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event: its name (empty for the default) and its data, lines joined by `\\n`."""

    event: str
    data: str


class SSEParser:
    """Turns bytes, cut anywhere, into events. Work is linear in the bytes; never raises.

    Args:
        limit: Bytes of one line or event's data kept at most; what is longer is dropped whole.

    Attributes:
        dropped: Lines and events that were too long.
    """

    def __init__(self, limit: int = 8 * 1024 * 1024) -> None:
        self._limit = limit
        self._rest: list[bytes] = []
        self._size = 0
        self._skip_lf = False
        self._event = ""
        self._data: list[bytes] = []
        self._data_size = 0
        self._begun = False
        self.dropped = 0

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """The events that `data` completes."""
        for line in self._lines(data):
            event = self._line(line)
            if event is not None:
                yield event

    @property
    def unfinished(self) -> bytes:
        """The event and the line that have begun and not ended: data, and the line as it came."""
        return b"\n".join([*self._data, b"".join(self._rest)])

    def _lines(self, data: bytes) -> Iterator[bytes]:
        if not data:
            return  # it says nothing about a CR before it
        if self._skip_lf:
            data = data.removeprefix(b"\n")
        *whole, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._skip_lf = data.endswith(b"\r")
        for line in whole:
            self._rest.append(line)
            self._size += len(line)
            too_long = self._size > self._limit
            self.dropped += too_long
            joined = b":" if too_long else b"".join(self._rest)
            self._rest.clear()
            self._size = 0
            yield joined
        if rest and self._size <= self._limit:
            self._rest.append(rest)
        self._size += len(rest)

    def _line(self, line: bytes) -> ServerSentEvent | None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data_size += len(value) + 1  # the newline that joins them
            if self._data_size <= self._limit:
                self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        event, data, size = self._event, self._data, self._data_size
        self._event, self._data, self._data_size = "", [], 0
        if size > self._limit:
            self.dropped += 1
            return None
        if not data:
            return None
        return ServerSentEvent(event, b"\n".join(data).decode("utf-8", "replace"))
