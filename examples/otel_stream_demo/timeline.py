"""A picture of all streams on one axis of time: a line each, a column for each slice of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set

from rich.text import Text

from otel_stream_demo.course import Course, Stretch
from otel_stream_demo.figures import Figures
from otel_stream_demo.frame import Cell, axis, entries
from otel_stream_demo.look import KINDS, OUTCOMES, WAITS, Look, Mark

__all__ = ["timeline"]

_LABEL = 16
_ENDING = 13
_NOTHING = Mark(" ", " ", "", "")
_READABLE = set(KINDS) - {"other"}


def timeline(streams: Sequence[Figures], width: int, look: Look) -> list[Text]:
    """The lines of the picture, none wider than `width`: an axis, the streams, a legend."""
    columns = max(width - _LABEL - _ENDING - 1, 20)
    began = min(stream.start for stream in streams)
    lasted = max(stream.start + stream.duration for stream in streams) - began
    slice_ = max(lasted, 0.001) / (columns - 1)
    bars = [_Bar(stream, stream.start - began, slice_, columns) for stream in streams]
    fullest = max((count for bar in bars for count in bar.counts), default=1.0)
    lines = [axis(lasted, slice_, columns, _LABEL, look)]
    drawn: set[Mark] = set()
    for stream, bar in zip(streams, bars, strict=True):
        line = Text(f"{stream.title:{_LABEL}.{_LABEL}}", no_wrap=True)
        for sign, mark in bar.cells(fullest, look):
            line.append(sign, mark.style)
            drawn.add(mark)
        line.append(f" {stream.outcome}", OUTCOMES[stream.outcome].style)
        lines.append(line)
    return [*lines, Text(), *_legend(drawn, width, look)]


class _Bar:
    """One stream in columns, each a slice of time."""

    def __init__(self, stream: Figures, offset: float, slice_: float, columns: int) -> None:
        self._course = Course(stream)
        self._outcome = stream.outcome
        self._offset = offset
        self._slice = slice_
        self._columns = columns
        self.counts = [0.0] * columns
        self._kinds: list[Counter[str]] = [Counter() for _ in range(columns)]
        self._last = self._column(self._course.end)
        for chunks in self._course.chunks:
            first, last = self._column(chunks.start), self._column(chunks.end)
            for column in range(first, last + 1):
                share = chunks.amount / (last - first + 1)
                self.counts[column] += share
                self._kinds[column][chunks.kind] += chunks.kind in _READABLE

    def cells(self, fullest: float, look: Look) -> Iterable[Cell]:
        """The signs, column by column."""
        first = self._column(0.0)
        for column in range(self._columns):
            if column < first or column > self._last:
                yield " ", _NOTHING
            elif column == self._last:
                end = OUTCOMES[self._outcome]
                yield look.sign(end), end
            elif self.counts[column] > 0.3:
                mark = KINDS[self._kind(column)]
                yield look.chunks(mark, self.counts[column] / fullest), mark
            else:
                mark = WAITS[self._wait(column)]
                yield look.sign(mark), mark

    def _kind(self, column: int) -> str:
        """What most of the chunks bring that bring something."""
        [(kind, seen)] = self._kinds[column].most_common(1) or [("other", 0)]
        return kind if seen else "other"

    def _wait(self, column: int) -> str:
        """What is waited for in the middle of the slice."""
        middle = (column + 0.5) * self._slice - self._offset
        course = self._course
        if _within(middle, course.stalls):
            return "stall"
        if middle < course.headers:
            return "asked"
        if _within(middle, course.reader):
            return "reader"
        return "headers" if middle < course.first_token else "provider"

    def _column(self, elapsed: float) -> int:
        return min(int((self._offset + elapsed) / self._slice), self._columns - 1)


def _within(moment: float, stretches: Iterable[Stretch]) -> bool:
    return any(stretch.start <= moment < stretch.end for stretch in stretches)


def _legend(drawn: Set[Mark], width: int, look: Look) -> list[Text]:
    """What the signs mean that are in the picture. Outcomes stand in words beside theirs."""
    kinds = [(look.all_chunks(mark), mark) for mark in KINDS.values() if mark in drawn]
    waits = [(look.sign(mark), mark) for mark in WAITS.values() if mark in drawn]
    return [
        line
        for heading, cells in (("chunks", kinds), ("between", waits))
        for line in entries(heading, cells, width, _LABEL)
        if cells
    ]
