"""Lines of OTLP JSON in, flat facts of streams out. Knows no files.

Of doubles, which are spans with the same trace and span id, the first one wins: a double comes of a
retry and says the same, and so a stream can be told at once, where the last one could only be told
at the end, after a second pass or with all of them in memory. The price is a memory of the ids of
streams, some 100 bytes each (a million streams: 100 MB); other spans cost nothing. Beside that a
reader holds one line, decoded: some three times its length for what an exporter writes, up to
thirty times for a line of empty objects that somebody made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from otel_stream import semconv
from otel_stream.flat.facts import CONTENT, FACTS, Facts, text
from otel_stream.flat.otlp import (
    UNREADABLE,
    Attribute,
    Event,
    Resource,
    Span,
    decode,
    plain,
    whole,
)

__all__ = ["Reader", "json_line"]

_EPOCH = datetime(1970, 1, 1)
_LAST = 253_402_300_800 * 10**9  # the end of the year 9999, in nanoseconds
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-fA-F]{32}", re.ASCII)
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-fA-F]{16}", re.ASCII)
_attributes = msgspec.json.Decoder(list[Attribute])

# What JSON leaves as it is, and a terminal or a reader of lines does not: DEL and the C1 controls,
# the separators of lines and paragraphs, the marks that turn the direction of writing.
_LIVELY = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


class Reader:
    """Reads lines of any number of files as one.

    Args:
        content: Whether messages are told too.
    """

    def __init__(self, content: bool = False) -> None:
        self.doubles = 0
        self._facts: Facts = FACTS | CONTENT if content else FACTS
        self._seen: set[bytes] = set()

    def feed(self, line: bytes) -> tuple[list[dict[str, Any]], bool]:
        """The streams of a line, and whether the line was whole. Raises nothing."""
        if line.isspace():
            return [], True
        resources, is_whole = decode(line)
        return [one for resource in resources for one in self._streams(resource)], is_whole

    def _streams(self, resource: Resource) -> Iterator[dict[str, Any]]:
        service = _service(resource)
        for scope in resource.scopeSpans or ():
            for span in scope.spans or ():
                flat = self._flat(span, service)
                if flat is not None:
                    yield flat

    def _flat(self, span: Span, service: str | None) -> dict[str, Any] | None:
        """The facts of a span; None for a double, and for a span that is no stream."""
        facts = self._facts
        raw = {a.key: a.value for a in span.attributes or () if a.key in facts}
        outcome = raw.get(semconv.OUTCOME)
        if outcome is None or text(plain(outcome)) is None:
            return None
        flat = _head(span, service)
        if self._is_double(flat):
            self.doubles += 1
            return None
        said: dict[str | None, object] = {key: plain(value) for key, value in raw.items()}
        said[semconv.EVENT_TOOL_CALL] = list(_tool_calls(span.events or []))
        for attribute, (key, kind) in facts.items():
            if attribute in said and (value := kind(said[attribute])) is not None:
                flat[key] = value
        return flat

    def _is_double(self, flat: dict[str, Any]) -> bool:
        """Whether the span was seen before. Without both ids nobody can say."""
        if "trace_id" not in flat or "span_id" not in flat:
            return False
        ids = bytes.fromhex(flat["trace_id"] + flat["span_id"])
        if ids in self._seen:
            return True
        self._seen.add(ids)
        return False


def json_line(flat: dict[str, Any]) -> bytes:
    """One line of JSON with its end, in which nothing speaks to a terminal."""
    line = msgspec.json.encode(flat) + b"\n"
    if line.isascii() and b"\x7f" not in line:
        return line
    return _LIVELY.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), line)


def _head(span: Span, service: str | None) -> dict[str, Any]:
    """What does not come from the span's own attributes."""
    start, end = whole(span.startTimeUnixNano), whole(span.endTimeUnixNano)
    head: dict[str, Any] = {}
    if start is not None and 0 < start < _LAST:
        began = _EPOCH + timedelta(microseconds=start // 1000)
        head["start"] = began.isoformat(timespec="microseconds") + "Z"
        if end is not None and end >= start:
            head["duration"] = (end - start) / 1e9
    if service is not None:
        head["service"] = service
    for key, given, form in (
        ("trace_id", span.traceId, _TRACE_ID),
        ("span_id", span.spanId, _SPAN_ID),
        ("parent_span_id", span.parentSpanId, _SPAN_ID),
    ):
        if isinstance(given, str) and form.fullmatch(given):
            head[key] = given.lower()
    return head


def _service(resource: Resource) -> str | None:
    attributes = resource.resource.attributes if resource.resource is not None else None
    for attribute in attributes or ():
        if attribute.key == semconv.SERVICE_NAME:
            return text(plain(attribute.value))
    return None


def _tool_calls(events: list[Event]) -> Iterator[object]:
    """The names of the tools that were called, in the order of the calls."""
    for event in events:
        if event.name != semconv.EVENT_TOOL_CALL:
            continue
        try:
            attributes = _attributes.decode(event.attributes)
        except UNREADABLE:
            continue
        yield from (plain(a.value) for a in attributes if a.key == semconv.TOOL_NAME)
