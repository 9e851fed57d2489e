"""A trace as a tree."""

from __future__ import annotations

from typing import Any

from stack.tour.spans import spans, tree

SECOND = 10**9


def attribute(key: str, value: Any) -> dict[str, Any]:
    """An attribute of OTLP JSON."""
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


def chunk(second: int, index: int, kind: str) -> dict[str, Any]:
    """The event of a chunk."""
    attributes = {"otel_stream.chunk.index": index, "otel_stream.chunk.kind": kind}
    return event(second, "otel_stream.chunk", **attributes)


def event(second: int, name: str, **attributes: Any) -> dict[str, Any]:
    """An event."""
    return {
        "timeUnixNano": str(second * SECOND),
        "name": name,
        "attributes": [attribute(key, value) for key, value in attributes.items()],
    }


def span(name: str, parent: str, start: int, end: int, **more: Any) -> dict[str, Any]:
    """A span whose id is its name."""
    return {
        "spanId": name,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(start * SECOND),
        "endTimeUnixNano": str(end * SECOND),
        **more,
    }


def drawn(*found: dict[str, Any]) -> list[str]:
    """The lines of the tree."""
    return [line.plain for line in tree(spans([{"scopeSpans": [{"spans": list(found)}]}]))]


def test_a_span_below_its_parent() -> None:
    """Children are indented below their parent, in the order of their start."""
    found = drawn(span("b", "a", 3, 4), span("c", "a", 2, 5), span("a", "", 1, 6))

    assert [line.split("  ")[0].strip() or line.strip().split()[0] for line in found] == [
        "a",
        "c",
        "b",
    ]
    assert found[0].endswith("5.00 s")


def test_a_span_without_its_parent() -> None:
    """A span whose parent is elsewhere stands at the left."""
    assert drawn(span("a", "elsewhere", 1, 2))[0].startswith("a ")


def test_chunks_in_a_row_are_one_line() -> None:
    """Chunks of a kind share a line; whatever happens between them parts them."""
    events = [
        chunk(3, 2, "text"),
        chunk(2, 1, "other"),
        chunk(4, 3, "text"),
        event(5, "otel_stream.complete"),
    ]
    found = drawn(span("a", "", 1, 6, events=events))

    assert [line.strip() for line in found[1:]] == [
        "1.00 chunk 1 other",
        "2.00 chunks 2 to 3 text",
        "4.00 complete",
    ]
