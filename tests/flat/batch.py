"""Lines of OTLP JSON as a Collector writes them, made of plain values."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["END", "START", "TRACE", "batch", "event", "span", "value_of"]

TRACE = "0af7651916cd43dd8448eb211c80319c"
START = 1_795_284_000_000_000_000
"""2026-11-21T18:00:00Z in nanoseconds."""
END = START + 2_500_000_000


def value_of(value: Any) -> dict[str, Any]:
    """A value as OTLP's `AnyValue`; a dictionary is one already."""
    match value:
        case dict():
            return value
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [value_of(one) for one in value]}}
    return {"stringValue": value}


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value_of(value)} for name, value in values.items()]


def event(name: str, **attributes: Any) -> dict[str, Any]:
    """A span event. In the names of attributes `__` stands for a dot."""
    values = {name.replace("__", "."): value for name, value in attributes.items()}
    return {"timeUnixNano": str(START), "name": name, "attributes": _attributes(values)}


def span(number: int = 1, attributes: dict[str, Any] | None = None, **fields: Any) -> Any:
    """A span, that of a completed stream unless it is told otherwise."""
    given = {"otel_stream.outcome": "completed"} if attributes is None else attributes
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": "chat m",
        "kind": 3,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(END),
        "attributes": _attributes(given),
        "status": {},
    } | fields


def batch(*spans: Any, service: str | None = None) -> bytes:
    """A line of spans of one resource."""
    resource = {"attributes": _attributes({"service.name": service})} if service else {}
    scope = {"scope": {"name": "otel_stream"}, "spans": list(spans)}
    content = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
