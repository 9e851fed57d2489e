"""A trace as a small tree, with what happened in each span below it. A pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from rich.text import Text

__all__ = ["Span", "spans", "tree"]

_PREFIX = "otel_stream."
_CHUNK = "otel_stream.chunk"
_STYLES = {"stall": "red", "error": "bold red", "exception": "bold red", "first_token": "green",
           "interrupted": "yellow", "complete": "green"}  # fmt: skip


class Span(NamedTuple):
    """A span of OTLP JSON, its attributes and events plain."""

    id: str
    parent: str
    name: str
    start: int
    end: int
    attributes: dict[str, Any]
    events: list[tuple[int, str, dict[str, Any]]]


def spans(resource_spans: Iterable[Mapping[str, Any]]) -> list[Span]:
    """All spans of OTLP JSON, in the order of their start."""
    found = [
        _span(span)
        for resource in resource_spans
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    return sorted(found, key=lambda span: span.start)


def tree(trace: list[Span]) -> Iterator[Text]:
    """The lines: a span below its parent, its events below itself."""
    ids = {span.id for span in trace}
    for span in trace:
        if span.parent not in ids:
            yield from _branch(span, trace, 0)


def _branch(span: Span, trace: list[Span], depth: int) -> Iterator[Text]:
    outcome = span.attributes.get("otel_stream.outcome", "")
    name = "  " * depth + span.name
    lasted = (span.end - span.start) / 1e9
    yield Text.assemble((f"{name:32} ", "bold"), f"{lasted:6.2f} s  {outcome}".rstrip())
    for elapsed, text, style in _happenings(span):
        yield Text.assemble((f"{'  ' * depth}  {elapsed:6.2f} ", "dim"), (text, style))
    for child in trace:
        if child.parent == span.id:
            yield from _branch(child, trace, depth + 1)


def _happenings(span: Span) -> Iterator[tuple[float, str, str]]:
    """Seconds since the span began, and what was then; chunks of a kind in a row are one line."""
    for kind, group in groupby(span.events, key=_kind):
        events = list(group)
        elapsed = (events[0][0] - span.start) / 1e9
        if kind:
            yield elapsed, f"{_numbers(events)} {kind}", ""
            continue
        for time, name, attributes in events:
            short = name.removeprefix(_PREFIX)
            gap = attributes.get("otel_stream.gap")
            text = short if gap is None else f"{short} of {gap:.2f} s"
            tool = attributes.get("gen_ai.tool.name")
            text = f"{text} {tool}" if tool else text
            yield (time - span.start) / 1e9, text, _STYLES.get(short, "")


def _kind(event: tuple[int, str, dict[str, Any]]) -> str:
    return str(event[2].get("otel_stream.chunk.kind", "")) if event[1] == _CHUNK else ""


def _numbers(events: list[tuple[int, str, dict[str, Any]]]) -> str:
    first = events[0][2]["otel_stream.chunk.index"]
    last = events[-1][2]["otel_stream.chunk.index"]
    return f"chunk {first}" if first == last else f"chunks {first} to {last}"


def _span(span: Mapping[str, Any]) -> Span:
    events = [
        (int(event["timeUnixNano"]), str(event["name"]), _attributes(event))
        for event in span.get("events", ())
    ]
    return Span(
        span["spanId"],
        span.get("parentSpanId", ""),
        span["name"],
        int(span["startTimeUnixNano"]),
        int(span["endTimeUnixNano"]),
        _attributes(span),
        sorted(events, key=lambda event: event[0]),
    )


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {each["key"]: _plain(each["value"]) for each in holder.get("attributes", ())}


def _plain(value: Mapping[str, Any]) -> Any:
    """Numbers and texts; JSON writes whole numbers as texts."""
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), "")
