"""What the streams do while they run, told by otel-stream's callbacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from otel_stream import Callbacks
from otel_stream.callbacks import (
    StreamCompleted,
    StreamDelta,
    StreamFailed,
    StreamFirstToken,
    StreamInfo,
    StreamStalled,
    StreamStarted,
)
from otel_stream.delta import Reasoning, Text, ToolCall
from otel_stream_demo.look import counted
from otel_stream_demo.scene import Scene

__all__ = ["Progress", "Row"]

_KEPT = 200
"""Characters of an answer that are shown at most."""


@dataclass
class Row:
    """One stream, as far as it has come. Times are of `time.monotonic`.

    Deltas are pieces of content, told as they come. Chunks, which the provider also sends without
    content, are told at the end.
    """

    scene: Scene
    began: float = 0.0
    ended: float = 0.0
    first_token: float | None = None
    deltas: int = 0
    chunks: int | None = None
    text: str = ""
    kind: str = ""
    stalled_since: float | None = None
    outcome: str = ""
    error: str = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the call, until the end."""
        return (self.ended or time.monotonic()) - self.began if self.began else 0.0


class Progress:
    """Hears of all streams. Its methods run on the thread of otel-stream's callbacks."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.rows = [Row(scene) for scene in scenes]
        self._by_id: dict[str, Row] = {}

    @property
    def ids(self) -> set[str]:
        """The trace ids of the conversations so far."""
        return set(self._by_id)

    def expect(self, trace_id: str, row: Row) -> None:
        """A conversation begins: the streams of this trace are the row's."""
        self._by_id[trace_id] = row

    def callbacks(self) -> Callbacks:
        """What `otel_stream.instrument` is given. Of streams that no row has they say nothing."""

        def ours(hear: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda event: hear(event) if event.stream.trace_id in self._by_id else None

        return Callbacks(
            on_start=ours(self._started),
            on_first_token=ours(self._first_token),
            on_delta=ours(self._delta),
            on_stall=ours(self._stalled),
            on_complete=ours(self._ended),
            on_error=ours(self._ended),
        )

    def _started(self, event: StreamStarted) -> None:
        row = self._row(event.stream)
        row.began = time.monotonic()
        self.tell(row, f"asks {event.stream.model}")

    def _first_token(self, event: StreamFirstToken) -> None:
        row = self._row(event.stream)
        row.first_token = event.elapsed
        self.tell(row, f"first token after {event.elapsed:.2f} s")

    def _delta(self, event: StreamDelta) -> None:
        row = self._row(event.stream)
        delta = event.delta
        row.deltas += 1
        row.stalled_since = None
        kind, text = "text", ""
        if isinstance(delta, str):
            text = delta
        elif isinstance(delta, Text | Reasoning):
            text = delta.text
            kind = "reasoning" if isinstance(delta, Reasoning) else "text"
        elif isinstance(delta, ToolCall):
            kind, text = "tool_call", (delta.name or "") + delta.arguments
        if kind != row.kind:
            row.kind, row.text = kind, ""
        row.text = (row.text + text)[-_KEPT:]

    def _stalled(self, event: StreamStalled) -> None:
        row = self._row(event.stream)
        row.stalled_since = row.began + event.elapsed
        self.tell(row, f"stalls since {event.elapsed:.2f} s")

    def _ended(self, event: StreamCompleted | StreamFailed) -> None:
        row = self._row(event.stream)
        row.ended, row.outcome = time.monotonic(), event.outcome
        row.stalled_since = None
        row.error = (getattr(event, "error_type", None) or "") if event.outcome == "error" else ""
        error = f" ({row.error})" if row.error else ""
        row.chunks = event.summary["total_chunks"]
        chunks = counted(row.chunks, "chunk")
        self.tell(row, f"{row.outcome}{error} after {row.elapsed:.2f} s, {chunks}")

    def tell(self, row: Row, news: str) -> None:
        """Something has happened. Overridden where it is said at once."""

    def _row(self, stream: StreamInfo) -> Row:
        return self._by_id[stream.trace_id]
