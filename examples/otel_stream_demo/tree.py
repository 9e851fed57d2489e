"""The spans of one trace, each below the one that it is part of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from otel_stream_demo.figures import Figures

__all__ = ["Row", "Tree"]


class Row(NamedTuple):
    """A span, and how deep it stands."""

    depth: int
    span: Figures


class Tree:
    """One person's message and all that answers it. Times are seconds since the message came.

    Args:
        spans: All of the trace, in any order.
    """

    def __init__(self, spans: Sequence[Figures]) -> None:
        self._spans = sorted(spans, key=lambda span: span.start)
        ids = {span.id for span in spans}
        self.root = next(span for span in self._spans if span.parent not in ids)
        self.lasted = max(span.end for span in spans) - self.root.start

    def since(self, moment: float) -> float:
        """When that was, a moment since the epoch."""
        return moment - self.root.start

    def named(self, operation: str) -> list[Figures]:
        """The spans whose name begins with this word, by their start."""
        return [span for span in self._spans if span.name.split(" ")[0] == operation]

    def below(self, span: Figures) -> list[Figures]:
        """Its parts, by their start."""
        return [each for each in self._spans if each.parent == span.id]

    def rows(self) -> Iterator[Row]:
        """All spans but receipts, which are moments of their message."""
        return self._rows(Row(0, self.root))

    def receipts(self, span: Figures) -> dict[str, float]:
        """What became of a message, and when."""
        return {
            each.get("delivery.status"): self.since(each.start)
            for each in self.below(span)
            if each.name.startswith("receipt ")
        }

    def _rows(self, row: Row) -> Iterator[Row]:
        yield row
        for span in self.below(row.span):
            if not span.name.startswith("receipt "):
                yield from self._rows(Row(row.depth + 1, span))
