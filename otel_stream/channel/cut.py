"""Cuts a text that comes in deltas into messages."""

from __future__ import annotations

import sys
from typing import NamedTuple

from otel_stream.channel.fence import Fence, fenced, follow
from otel_stream.channel.grapheme import prefix, trimmed, units, whole
from otel_stream.channel.patterns import patterns
from otel_stream.channel.place import LOOKAHEAD, place
from otel_stream.channel.sentence import CONTEXT, sentence_ends

__all__ = ["LIMIT", "Cutter", "Piece"]

LIMIT = 4096
"""The longest text that WhatsApp takes, by its Cloud API; counted in UTF-16 code units here."""

_SLICE = 512
"""A long delta is taken in slices, so that its cuts are not searched for in all of it."""


class Piece(NamedTuple):
    """A message."""

    text: str
    source: str
    """What it holds of what was fed: the text but for the lines that open and close cut code."""


class Cutter:
    """Feed it deltas; it gives back the messages that are ready.

    A paragraph is a message. It becomes several where it is longer than `limit`, and at the ends
    of sentences where that is asked for. Nothing is cut inside a grapheme cluster, a link or a
    fence of code, unless that alone is too long; code is then cut at the end of a line and fenced
    again in each piece. Everything fed comes out once and in order, but for white space at the
    cuts, which is counted in `dropped`, and halves of surrogate pairs, which become U+FFFD.

    Memory is bounded by `limit`, time is linear.

    Args:
        limit: The longest message, in UTF-16 code units.
        target: From this size on (UTF-16 code units) a paragraph is cut at the next end of a
            sentence. None: at `limit` only.
        sentences: Every sentence is a message: the same as a target of 0.

    Raises:
        ValueError: The limit is below 2, where not every character would fit.
        MissingExtraError: `regex` is not installed.
    """

    def __init__(
        self, limit: int = LIMIT, *, target: int | None = None, sentences: bool = False
    ) -> None:
        if limit < 2:
            raise ValueError(f"a limit of at least 2 is needed, not {limit}")
        self._patterns = patterns()
        self._limit = limit
        self._target = 0 if sentences else sys.maxsize if target is None else target
        self._half = ""  # the first half of a surrogate pair
        self._opening = ""  # what opens the fence again in which the last message was cut
        self._within: Fence | None = None  # the fence that the text kept here begins in
        self._fence: Fence | None = None  # the one in which its last line begins
        self._parts: list[str] = []
        self._line = 0  # the part with which the last line begins
        self._length = 0
        self._units = 0
        self._ticks = 0  # backticks of the last line
        self._tail = ""  # what sentences are told by
        self.fed = 0
        """Characters taken so far."""
        self.dropped = 0
        """How many of them were white space at a cut, and are in no message."""

    @property
    def waiting(self) -> int:
        """How many characters are kept here, and may be in a later message."""
        return self._length

    def feed(self, delta: str) -> list[Piece]:
        """Take *delta*. Returns the messages that are ready."""
        if not delta.isascii() or self._half:
            delta = self._paired(delta)
        self.fed += len(delta)
        ready: list[Piece] = []
        if len(delta) <= _SLICE:
            self._take(delta, ready)
            return ready
        for at in range(0, len(delta), _SLICE):
            self._take(delta[at : at + _SLICE], ready)
        return ready

    def finish(self) -> list[Piece]:
        """The text is over. Returns the messages that are left."""
        ready: list[Piece] = []
        half, self._half = self._half, ""
        if half:
            self.fed += 1
            self._take(whole(half), ready)
        self._flush(ready)
        return ready

    def _paired(self, delta: str) -> str:
        """*delta* with surrogate pairs put together, also one that two deltas share."""
        delta = self._half + delta
        self._half = delta[-1] if "\ud800" <= delta[-1:] <= "\udbff" else ""
        return whole(delta[:-1] if self._half else delta)

    def _take(self, run: str, ready: list[Piece]) -> None:
        while run:
            at = run.find("\n") + 1
            line, run = (run[:at], run[at:]) if at else (run, "")
            free = self._room + LOOKAHEAD - self._units
            if 2 * len(line) > free and (most := prefix(line, free) + 1) < len(line):
                line, run, at = line[:most], line[most:] + run, 0
            if self._fence is None and self._units + 2 * len(line) >= self._target:
                end = self._sentence_end(line)
                if end is not None:
                    self._append(line[:end])
                    self._flush(ready)
                    line, run, at = "", line[end:] + run, 0
            self._append(line)
            if at:
                self._end_line(ready)
            if self._units > self._room + LOOKAHEAD:
                self._overflow(ready)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        self._units += units(text)
        self._ticks += text.count("`")
        self._tail = (self._tail + text)[-CONTEXT:]

    def _sentence_end(self, line: str) -> int | None:
        """Where in *line* a sentence begins before which the text is long enough to be cut."""
        if self._patterns.begins.search(self._tail[-1:] + line) is None:
            return None
        since = len(self._tail)
        for _, start in sentence_ends(self._tail + line, since, self._patterns):
            at = start - since
            ticks = self._ticks + line.count("`", 0, at)
            long = self._units + units(line[:at]) >= max(self._target, 1)
            if long and ticks % 2 == 0:  # not in inline code
                return at
        return None

    def _end_line(self, ready: list[Piece]) -> None:
        line = "".join(self._parts[self._line :])
        self._line, self._ticks = len(self._parts), 0
        if self._fence is None and not line.strip():
            self._flush(ready)
        else:
            self._fence, _ = follow(line, self._fence, self._patterns)

    def _overflow(self, ready: list[Piece]) -> None:
        """The text is too long: cut as much from it as has to be."""
        text = "".join(self._parts)
        while units(text) > self._room + LOOKAHEAD:
            text = self._cut(text, ready)
        _, fence = fenced(text, self._within, self._patterns)
        line = text.rfind("\n") + 1
        self._restart(text[:line])
        self._fence, self._line, self._ticks = fence, len(self._parts), 0
        self._append(text[line:])

    def _flush(self, ready: list[Piece]) -> None:
        """All the text is ready."""
        text = "".join(self._parts)
        while text:
            start, end = (0, len(text)) if self._opening else trimmed(text, self._patterns)
            if units(text[start:end]) > self._room:
                text = self._cut(text, ready)
                continue
            self._give(text, "", ready)
            text = ""
        self._opening, self._within = "", None
        self._restart()

    def _cut(self, text: str, ready: list[Piece]) -> str:
        """Cut one message from *text*, which is too long for one. Returns the rest."""
        if self._within is None:
            start, _ = trimmed(text, self._patterns)
            self.dropped += start
            text = text[start:]
            if units(text) <= self._room:
                return text
        at, fence = place(text, self._room, self._limit, self._within, self._patterns)
        opening, closing = fence.lines(self._limit) if fence is not None else ("", "")
        self._give(text[:at], closing, ready)
        self._opening, self._within = opening, fence
        return text[at:]

    def _give(self, text: str, closing: str, ready: list[Piece]) -> None:
        start, end = trimmed(text, self._patterns)
        if self._opening or closing:  # white space of code stays
            start = 0 if self._opening and start < end else start
            end = len(text) if closing else end
        self.dropped += len(text) - (end - start)
        if start < end:
            source = text[start:end]
            if closing:
                closing = closing if source.endswith("\n") else f"\n{closing}"
            ready.append(Piece(self._opening + source + closing, source))

    @property
    def _room(self) -> int:
        return self._limit - units(self._opening)

    def _restart(self, text: str = "") -> None:
        """Keep *text* and nothing else."""
        self._parts = []
        self._length = self._units = self._ticks = self._line = 0
        self._tail = ""
        self._fence = None
        self._append(text)
