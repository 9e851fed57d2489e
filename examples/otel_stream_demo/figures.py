"""The figures of streams, read from exported spans: OTLP JSON lines, as they lie in the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

__all__ = ["SCENE", "Event", "Figures", "figures_of", "spans_of"]

SCENE = "demo.scene"
"""The attribute by which a span tells its scene."""


@dataclass(frozen=True)
class Event:
    """A span event."""

    name: str
    attributes: dict[str, Any]

    @property
    def elapsed(self) -> float:
        """Seconds since the call."""
        return float(self.attributes.get("otel_stream.elapsed", 0.0))


@dataclass(frozen=True)
class Figures:
    """One span. Times in seconds; `start` since the epoch."""

    attributes: dict[str, Any]
    events: list[Event]
    start: float
    duration: float
    name: str = ""
    id: str = ""
    parent: str = ""

    @property
    def end(self) -> float:
        """Seconds since the epoch."""
        return self.start + self.duration

    @property
    def title(self) -> str:
        """The scene's title."""
        return str(self.attributes[SCENE])

    @property
    def outcome(self) -> str:
        """How it ended."""
        return str(self.attributes.get("otel_stream.outcome", ""))

    def get(self, name: str) -> Any:
        """An attribute, ours by its short name; None when the span has none such."""
        return self.attributes.get(name, self.attributes.get(f"otel_stream.{name}"))

    def named(self, name: str) -> list[Event]:
        """Our events with this short name, in order."""
        return [event for event in self.events if event.name == f"otel_stream.{name}"]


def figures_of(lines: Iterable[str], trace_ids: Set[str], titles: Sequence[str]) -> list[Figures]:
    """The spans of these traces that belong to scenes with these titles, in the titles' order."""
    ours = [one for one in spans_of(lines, trace_ids) if one.attributes.get(SCENE) in titles]
    return sorted(ours, key=lambda one: (titles.index(one.title), one.start))


def spans_of(lines: Iterable[str], trace_ids: Set[str]) -> list[Figures]:
    """The spans of these traces."""
    return [
        _figures(span)
        for line in lines
        if any(trace_id in line for trace_id in trace_ids)  # others' lines may be broken
        for span in _spans(json.loads(line))
        if span["traceId"] in trace_ids
    ]


def _spans(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def _figures(span: dict[str, Any]) -> Figures:
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    events = [Event(event["name"], _attributes(event)) for event in span.get("events", [])]
    ids = span["name"], span["spanId"], span.get("parentSpanId", "")
    return Figures(_attributes(span), events, start / 1e9, (end - start) / 1e9, *ids)


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: _value(one["value"]) for one in holder.get("attributes", [])}


def _value(value: dict[str, Any]) -> Any:
    [(kind, held)] = value.items()
    if kind == "intValue":
        return int(held)
    if kind == "arrayValue":
        return [_value(each) for each in held.get("values", [])]
    return held
