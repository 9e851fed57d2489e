"""An incremental parser of JSON objects that stand back to back, cut anywhere.

Work is linear in the bytes: an object is looked at once by a scanner that knows strings from what
stands between them, and decoded when its last brace is there. Where no object can be read any more,
reading begins anew behind the brace that it seemed to begin with, so that a stray one costs nothing
of what follows; what is read again that way is bounded by what came.
"""

from __future__ import annotations

import re

from otel_stream_agno_http.event import WireEvent, event_in, lenient_event_in

__all__ = ["ObjectParser"]

_DEEPEST = 512
_AGAIN = 64 * 1024
"""Bytes that may be read again in any stream, and …"""
_AGAIN_A_BYTE = 2
"""… for each byte that came."""

_OPENED, _CLOSED, _BROKEN = range(3)
"""What became of an object in the bytes that were scanned."""

_SPACE = b" \t\r\n"
_DONE = b"[DONE]"
_QUOTE, _BACKSLASH, _OPEN, _CLOSE = b'"\\{}'
_BEFORE_VALUE = b":,["
# Possessive, so that nothing is ever tried twice. No raw control character stands in a string.
_STRING = rb'[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+'
# Between strings: punctuation, numbers, true, false, null, NaN, Infinity.
_PLAIN = rb"[ \t\r\n:,\[\]0-9+\-.EINaefilnrstuy]*+"
_in_string = re.compile(_STRING, re.DOTALL).match
_between_braces = re.compile(_PLAIN + b'(?:"' + _STRING + b'"' + _PLAIN + b")*+", re.DOTALL).match
_neighbours = re.compile(rb"\}[ \t\r\n]*+\{").search


def _through_plain(data: bytes, at: int) -> int:
    """Where what stands between two braces ends: strings, numbers, punctuation."""
    return _between_braces(data, at).end()  # type: ignore[union-attr]


class ObjectParser:
    """Turns bytes into the events that their objects are. Never raises.

    Args:
        limit: Bytes of one object kept at most; what is longer is dropped whole.

    Attributes:
        dropped: Objects that were too long.
        done: Whether `[DONE]` stood between objects.
    """

    __slots__ = (
        "_again", "_depth", "_escaped", "_gap", "_kept", "_last", "_limit", "_pieces", "_quoted",
        "done", "dropped",
    )  # fmt: skip

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._again = _AGAIN
        self._gap = b""
        self._pieces: list[bytes] = []
        self._kept = 0
        self._depth = 0
        self._last = _OPEN
        self._quoted = self._escaped = False
        self.dropped = 0
        self.done = False

    def feed(self, data: bytes) -> list[WireEvent]:
        """The events that `data` completes."""
        if not self._depth and data.endswith(b"}") and len(data) <= self._limit:
            event = event_in(data)  # One object, no more: so servers send them.
            if event is not None:
                return [event]
        found: list[WireEvent] = []
        self._again += _AGAIN_A_BYTE * len(data)
        if self._depth:
            data = self._go_on(data, found)
        while data:
            data = self._read(data, found)
        return found

    def finish(self) -> list[WireEvent]:
        """The events behind a brace that was never closed: the body has ended."""
        found: list[WireEvent] = []
        while self._depth:
            data = self._anew(self._taken(b""), b"")
            while data:
                data = self._read(data, found)
        return found

    # --- objects that are whole or begin in these bytes --------------------------------------

    def _read(self, data: bytes, found: list[WireEvent]) -> bytes:
        """Read objects from `data`. Returns nothing, for there is nothing left."""
        at, boundary, quick = 0, -1, True
        while (start := data.find(b"{", at)) >= 0:
            if start > at:
                self._between(data[at:start])
            if quick:  # Up to where the next one seems to begin: nearly always that is true.
                if boundary < start:
                    next_one = _neighbours(data, start)
                    boundary = next_one.start() if next_one else data.rfind(b"}", start)
                event = event_in(data[start : boundary + 1])
                quick = event is not None and boundary - start < self._limit
                if event is not None and quick:
                    found.append(event)
                    at = boundary + 1
                    continue
            at = self._slowly(data, start, found)
        self._between(data[at:])
        return b""

    def _slowly(self, data: bytes, start: int, found: list[WireEvent]) -> int:
        """Read the object that begins at `start` with the scanner. Returns where to go on."""
        self._depth, self._last = 1, _OPEN
        self._quoted = self._escaped = False
        at, state = self._scan(data, start + 1, start)
        if state == _OPENED:
            self._keep(data[start:])
            return len(data)
        self._depth = 0
        if state == _CLOSED:
            if at - start > self._limit:
                self.dropped += 1
                return at
            event = lenient_event_in(data[start:at])
            if event is not None:
                found.append(event)
                return at
        if self._again < at - start:
            return max(at, start + 1)
        self._again -= at - start
        return start + 1

    # --- an object that began in earlier bytes -----------------------------------------------

    def _go_on(self, data: bytes, found: list[WireEvent]) -> bytes:
        """Go on with the object that is open. Returns what is to be read then."""
        at, state = self._scan(data, 0, 0)
        if state == _OPENED:
            self._keep(data)
            return b""
        whole = self._taken(data[:at])
        if state == _CLOSED:
            self._depth = 0
            event = None if whole is None else lenient_event_in(whole)
            if event is not None:
                found.append(event)
            if event is not None or whole is None:
                self.dropped += whole is None
                return data[at:]
        return self._anew(whole, data[at:])

    def _keep(self, data: bytes) -> None:
        self._kept += len(data)
        if self._kept <= self._limit:
            self._pieces.append(data)
        else:
            self._pieces.clear()

    def _taken(self, data: bytes) -> bytes | None:
        """The object so far, with `data`; None if it is too long. Nothing is kept any more."""
        size = self._kept + len(data)
        whole = b"".join([*self._pieces, data]) if size <= self._limit else None
        self._pieces.clear()
        self._kept = 0
        return whole

    def _anew(self, broken: bytes | None, rest: bytes) -> bytes:
        """What is to be read after what seemed to be an object, and is none."""
        self._depth = 0
        if broken is None or self._again < len(broken):
            self.dropped += broken is None
            return rest
        self._again -= len(broken)
        return broken[1:] + rest

    # --- the scanner -------------------------------------------------------------------------

    def _scan(self, data: bytes, at: int, begin: int) -> tuple[int, int]:
        """Go through the object that is open, from `at`. Its bytes in `data` begin at `begin`.

        Returns where its end is, or where it breaks, and which of it.
        """
        end = len(data)
        while at < end:
            through = self._through_string if self._quoted else _through_plain
            at = through(data, at)
            if at == end:
                break
            byte = data[at]
            if byte == _QUOTE:
                self._quoted = not self._quoted
            elif self._quoted or not self._brace(byte, data, at, begin):
                return at, _BROKEN
            at += 1
            if not self._depth:
                return at, _CLOSED
        if not self._quoted:
            self._last = self._before(data, end, begin)
        return end, _OPENED

    def _through_string(self, data: bytes, at: int) -> int:
        """Where the string that is open ends or breaks off."""
        if self._escaped:
            self._escaped = False
            at += 1
        at = _in_string(data, at).end()  # type: ignore[union-attr]
        if at == len(data) - 1 and data[at] == _BACKSLASH:
            self._escaped = True
            at += 1
        return at

    def _brace(self, byte: int, data: bytes, at: int, begin: int) -> bool:
        """Go in or out by a brace. Returns whether one may stand there."""
        if byte == _CLOSE:
            self._depth -= 1
            return True
        if byte != _OPEN or self._depth >= _DEEPEST:
            return False
        self._depth += 1
        return self._before(data, at, begin) in _BEFORE_VALUE

    def _before(self, data: bytes, at: int, begin: int) -> int:
        """The last byte before `at` that is no space."""
        while at > begin:
            at -= 1
            if data[at] not in _SPACE:
                return data[at]
        return self._last

    def _between(self, gap: bytes) -> None:
        """What stands between objects."""
        text = self._gap + gap
        self.done = self.done or _DONE in text
        self._gap = text[1 - len(_DONE) :]
