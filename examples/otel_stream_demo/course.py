"""The course of one stream, told by its span: when chunks came, and what was waited for between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from otel_stream_demo.figures import Event, Figures

__all__ = ["Chunks", "Course", "Stretch"]


class Chunks(NamedTuple):
    """Chunks that came from `start` to `end`; where the moment of each is known, one at `end`."""

    start: float
    end: float
    amount: int
    kind: str


class Stretch(NamedTuple):
    """A time in which something was waited for: `stall`, or the `reader`."""

    start: float
    end: float


class Course:
    """All times are seconds since the call.

    A span has events for some chunks, within its budget; between them the count is known and the
    moments are not, so those chunks are spread evenly.
    """

    def __init__(self, figures: Figures) -> None:
        self.end = figures.duration
        self.headers = figures.get("time_to_headers") or self.end
        self.first_token = figures.get("time_to_first_token") or self.end
        self.stalls = [
            Stretch(event.elapsed, event.elapsed + event.attributes["otel_stream.gap"])
            for event in figures.named("stall")
        ]
        told = figures.named("chunk")
        self.chunks = list(_chunks(told, figures.get("chunk.count") or 0, self.end))
        busy, waited = figures.get("consumer_time") or 0.0, figures.get("provider_wait") or 0.0
        self.reader = list(_reader(told, mostly=busy > waited))
        if told and self.chunks[-1].amount == 1:
            before = sum(stretch.end - stretch.start for stretch in self.reader)
            last = told[-1].elapsed
            self.reader.append(Stretch(last, last + busy - before))


def _chunks(told: list[Event], count: int, end: float) -> Iterator[Chunks]:
    before, number = 0.0, 0
    for event in told:
        index, kind = _index(event), str(event.attributes["otel_stream.chunk.kind"])
        if index - number > 1:
            yield Chunks(before, event.elapsed, index - number - 1, kind)
        yield Chunks(event.elapsed, event.elapsed, 1, kind)
        before, number = event.elapsed, index
    if count > number:
        kind = str(told[-1].attributes["otel_stream.chunk.kind"]) if told else "other"
        yield Chunks(before, end, count - number, kind)


def _reader(told: list[Event], mostly: bool) -> Iterator[Stretch]:
    """What is left between two chunks when the wait for the second is taken off.

    Where chunks between them are not told, it is the reader's if most of the stream's time is.
    """
    for earlier, later in pairwise(told):
        asked = later.elapsed - later.attributes["otel_stream.gap"]
        follows = _index(later) == _index(earlier) + 1
        if asked > earlier.elapsed and (follows or mostly):
            yield Stretch(earlier.elapsed, asked)


def _index(event: Event) -> int:
    return int(event.attributes["otel_stream.chunk.index"])
