"""The few moments of a stream that become span events: a budget, kept in fixed memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_stream import semconv

__all__ = ["BUDGET", "Moment", "Moments"]

BUDGET = 32
"""Span events a span, all told. The SDK keeps 128 and drops the oldest, so the first would go."""

Moment = tuple[str, float, dict[str, Any]]
"""Name, time (s of the recorder's clock), attributes."""

_RESERVED = 3
"""Room kept for the first token, the end and an exception."""


class Moments:
    """Keeps moments by kind, stalls before tools before chunks, and counts what has no room."""

    __slots__ = ("_chunks", "_dropped", "_room", "_stalls", "_tools", "first")

    def __init__(self) -> None:
        self.first: Moment | None = None
        self._stalls: list[Moment] = []
        self._tools: list[Moment] = []
        self._chunks: list[Moment] = []
        self._room = BUDGET - _RESERVED
        self._dropped = 0

    def stall(self, at: float, attributes: dict[str, Any]) -> None:
        """A stall that began at `at`."""
        self._keep(self._stalls, (semconv.EVENT_STALL, at, attributes))

    def tool(self, at: float, attributes: dict[str, Any]) -> None:
        """A tool call whose first piece came at `at`. `attributes` may still be filled in."""
        self._keep(self._tools, (semconv.EVENT_TOOL_CALL, at, attributes))

    def chunk(self, at: float, index: int, size: int, kind: str, gap: float) -> None:
        """A chunk chosen to be shown: its number from 1, its characters, the wait for it (s)."""
        shown: dict[str, Any] = {
            semconv.CHUNK_INDEX: index,
            semconv.CHUNK_SIZE: size,
            semconv.CHUNK_KIND: kind,
            semconv.GAP: gap,
        }
        self._keep(self._chunks, (semconv.EVENT_CHUNK, at, shown))

    @property
    def dropped(self) -> int:
        """Moments that would have been events, but for the budget."""
        return self._dropped

    def in_order(self) -> Iterator[Moment]:
        """What was kept, by time."""
        first = [self.first] if self.first else []
        kept = [*first, *self._stalls, *self._tools, *self._chunks]
        return iter(sorted(kept, key=lambda moment: moment[1]))

    def _keep(self, kind: list[Moment], moment: Moment) -> None:
        if len(self._stalls) + len(self._tools) + len(self._chunks) >= self._room:
            self._dropped += 1
            if not self._make_room(kind):
                return
        kind.append(moment)

    def _make_room(self, kind: list[Moment]) -> bool:
        """Give up a moment of a lesser kind: the latest chunk, else the latest tool call."""
        lesser = {id(self._stalls): (self._chunks, self._tools), id(self._tools): (self._chunks,)}
        for other in lesser.get(id(kind), ()):
            if other:
                other.pop()
                return True
        return False
