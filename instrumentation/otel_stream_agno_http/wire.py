"""The wires of Agno's servers behind one content type, told apart by their bytes.

Version 1.7 sends JSON objects back to back, 2.x and 3.x server-sent events; all say
`text/event-stream`. The first of 2.x break the rules of those: their JSON goes over many lines, of
which only the first is marked as data, so it is read as objects with something in between. JSON a
line, with `data:` in front or not, is read too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from otel_stream.sse import ServerSentEvent, SSEParser
from otel_stream_agno_http.event import WireEvent, event_in, lenient_event_in
from otel_stream_agno_http.objects import ObjectParser

__all__ = ["LIMIT", "WireParser"]

LIMIT = 8 * 1024 * 1024
"""Bytes of one event that are kept."""

_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"data:", b"event:", b"id:", b"retry:")
"""What a line of server-sent events begins with, but for comments, which tell nothing."""
_DATA = b"data: "
_PING = "ping"
_first_data = re.compile(rb"(?:\A|[\r\n])data:(?: |(?! ))(..)", re.DOTALL).search
_nothing_yet = re.compile(rb"(?:[^\r\n]+(?:\r\n?|\n))*[^\r\n]*\Z").match
_LONGEST_HEAD = 4096
"""Bytes before the first data that are waited through."""
_line_end = re.compile(rb"[\r\n]").search


def _told(found: list[WireEvent]) -> list[WireEvent]:
    return [event for event in found if event.event is not None and event.event != _PING]


class WireParser:
    """Turns a body's bytes, cut anywhere, into events. Work is linear in the bytes; never raises.

    What is no event, such as a `ping` or a proxy's warning, is passed over.

    Args:
        limit: Bytes of one event kept at most; what is longer is dropped whole.
    """

    __slots__ = (
        "_comment", "_done", "_head", "_idle", "_limit", "_objects", "_read", "_skipping", "_sse",
    )  # fmt: skip

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._sse = SSEParser(limit)
        self._objects = ObjectParser(limit)
        self._read: Callable[[bytes], list[WireEvent]] | None = None
        self._head = b""
        self._skipping = self._comment = False
        self._idle = True
        self._done = False

    @property
    def dropped(self) -> int:
        """Events that were too long."""
        return self._sse.dropped + self._objects.dropped

    @property
    def done(self) -> bool:
        """Whether the wire's own end mark, `[DONE]`, was seen."""
        return self._done or self._objects.done

    def feed(self, data: bytes) -> list[WireEvent]:
        """The events that `data` completes."""
        if self._read is None:
            data = self._recognised(data)
        if self._read is None or not data:
            return []
        return _told(self._read(data))

    def finish(self) -> list[WireEvent]:
        """The events that are whole, though nothing says that they have ended: the body has."""
        found = [] if self._read is not None else self._events(self._head)
        rest = self._sse.unfinished.removeprefix(b"data:")
        found += self._in_data(ServerSentEvent("", rest.decode("utf-8", "replace")))
        found += self._objects.finish()
        return _told(found)

    # --- which wire it is --------------------------------------------------------------------

    def _recognised(self, data: bytes) -> bytes:
        """What is to be read, once the wire is known; lines that are of neither are passed over."""
        text, self._head = self._head + data, b""
        while text:
            if not self._skipping:
                text = text.removeprefix(_BOM).lstrip()
                if text.startswith(_FIELDS):
                    return self._marked(text)
                if any(begin.startswith(text) for begin in (*_FIELDS, _BOM)):
                    self._head = text
                    return b""
                self._comment = text.startswith(b":")
            end = _line_end(text)
            line = text if end is None else text[: end.start()]
            if not self._comment and b"{" in line:
                self._read = self._objects.feed
                return text[line.index(b"{") :]
            self._skipping = end is None
            text = b"" if end is None else text[end.end() :]
        return b""

    def _marked(self, text: bytes) -> bytes:
        """What is to be read of fields, once it is seen how the first data goes on."""
        first = _first_data(text)
        if first is None and _nothing_yet(text) and len(text) < _LONGEST_HEAD:
            self._head = text
            return b""
        broken = first is not None and first[1] in (b"{\n", b"{\r")
        self._read = self._objects.feed if broken else self._events
        return text

    # --- server-sent events ------------------------------------------------------------------

    def _events(self, data: bytes) -> list[WireEvent]:
        if not (self._idle and data.endswith(b"\n\n")) or b"\r" in data:
            self._idle = data.endswith(b"\n\n")
            return self._by_line(data)
        found: list[WireEvent] = []
        for block in data.split(b"\n\n"):  # Whole events: nearly always they come so.
            event = self._quickly(block)
            if event is not None:
                found.append(event)
            elif block:
                found += self._by_line(block + b"\n\n")
        return found

    def _quickly(self, block: bytes) -> WireEvent | None:
        """The event of a block with one line of data, and that the last."""
        at = block.find(_DATA)
        if at < 0 or (at and block[at - 1] != 10) or len(block) - at > self._limit:
            return None
        event = event_in(block[at + len(_DATA) :])
        if event is None or event.event is None or b"\n" in block[at:]:
            return None
        return event

    def _by_line(self, data: bytes) -> list[WireEvent]:
        found: list[WireEvent] = []
        for event in self._sse.feed(data):
            found += self._in_data(event)
        return found

    def _in_data(self, sent: ServerSentEvent) -> list[WireEvent]:
        """The event that the data is, or the events that stand in it a line each."""
        if sent.data.startswith("[DONE]"):
            self._done = True
        if "{" not in sent.data:
            return []
        event = lenient_event_in(sent.data)
        if event is None:
            objects = ObjectParser(self._limit)
            return objects.feed(sent.data.encode("utf-8", "replace")) + objects.finish()
        event.event = sent.event or None if event.event is None else event.event
        return [event]
