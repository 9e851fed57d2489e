"""A picture of one trace: a line for each span, below the one it is part of, on one axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from otel_stream_demo.figures import Figures
from otel_stream_demo.frame import axis, entries
from otel_stream_demo.look import MOMENTS, WORK, Look, Mark
from otel_stream_demo.tree import Row, Tree

__all__ = ["waterfall"]

_ENDING = 11
_NOTHING = Mark(" ", " ", "", "")
_FINER = 1e-6


class _Moment(NamedTuple):
    """Something that happened, seconds since the message came."""

    at: float
    mark: Mark


def waterfall(tree: Tree, width: int, look: Look) -> list[Text]:
    """The lines of the picture, none wider than `width`: an axis, the spans, a legend."""
    rows = list(tree.rows())
    names = [f"{' ' * row.depth}{_name(row.span)}" for row in rows]
    label = min(max(map(cell_len, names)) + 1, width // 3 + 2)
    columns = max(width - label - _ENDING, 15)
    slice_ = max(tree.lasted, 0.001) / (columns - 1)
    lines = [axis(tree.lasted, slice_, columns, label, look)]
    drawn: set[Mark] = set()
    for row, name in zip(rows, names, strict=True):
        line = Text(_fitting(name, label - 1, look), no_wrap=True)
        line.append(" " * (label - line.cell_len))
        for mark in _marks(tree, row, slice_, columns):
            line.append(look.sign(mark), mark.style)
            drawn.add(mark)
        line.append(_ending(row.span, look))
        lines.append(line)
    return [*lines, Text(), *_legend(drawn, width, look)]


def _name(span: Figures) -> str:
    """Its own, and which message it is."""
    part = span.get("delivery.part")
    return span.name if part is None else f"{span.name} {part}"


def _fitting(name: str, room: int, look: Look) -> str:
    return name if cell_len(name) <= room else f"{name[: room - len(look.more)]}{look.more}"


def _ending(span: Figures, look: Look) -> str:
    """How long it took, and with how many requests, if not with one."""
    attempts = span.get("delivery.attempts") or 1
    again = "" if span.name.startswith("type ") or attempts == 1 else f" {look.times}{attempts}"
    return f"{span.duration:6.2f} s{again}"


def _marks(tree: Tree, row: Row, slice_: float, columns: int) -> Sequence[Mark]:
    """What stands in each column of its line."""

    def column(at: float) -> int:
        return min(max(int((at + _FINER) / slice_), 0), columns - 1)

    span = row.span
    began = tree.since(span.start)
    marks = [_NOTHING] * columns
    works = span.name.split(" ")[0]
    first_token = span.get("time_to_first_token") if works == "chat" else 0.0
    for at in range(column(began), column(began + span.duration) + 1):
        silent = works == "chat" and (first_token is None or at < column(began + first_token))
        marks[at] = WORK["asked" if silent else works] if works in WORK else WORK["other"]
    for moment in _moments(tree, span, began):
        marks[column(moment.at)] = moment.mark
    return marks


def _moments(tree: Tree, span: Figures, began: float) -> Iterator[_Moment]:
    """In the order in which they are drawn: a later one may hide an earlier one."""
    for name in ("time_to_first_token", "time_to_first_text"):
        if span.name.startswith("chat ") and span.get(name) is not None:
            yield _Moment(began + span.get(name), MOMENTS[name])
    if span.name.startswith("send "):
        yield _Moment(began + span.duration, MOMENTS[span.get("delivery.status")])
    if span is tree.root and span.get("delivery.time_to_first_message") is not None:
        yield _Moment(span.get("delivery.time_to_first_message"), MOMENTS["accepted"])
    for status, at in tree.receipts(span).items():
        if status in MOMENTS:
            yield _Moment(at, MOMENTS[status])


def _legend(drawn: set[Mark], width: int, look: Look) -> list[Text]:
    """What the signs mean that are in the picture."""
    return [
        line
        for heading, marks in (("lines", WORK), ("moments", MOMENTS))
        for line in entries(
            heading, [(look.sign(mark), mark) for mark in marks.values() if mark in drawn], width, 9
        )
    ]
