"""OTLP JSON of traces, decoded no further than is needed.

The encoding is proto3 JSON with hex ids (opentelemetry-proto, docs/specification.md, "JSON Protobuf
Encoding"): names in lowerCamelCase, unknown ones ignored, 64-bit integers as numbers or decimal
strings, null wherever a value may be left out. A line holds one `TracesData`.

What holds other things has to be what it should be, or the whole line is refused; a single wrong
value only makes its own fact unknown. Attributes stay raw until somebody asks for them, which is
most of the speed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

__all__ = [
    "UNREADABLE",
    "Attribute",
    "Batch",
    "Event",
    "Resource",
    "Span",
    "decode",
    "plain",
    "whole",
]

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding may raise. Invalid UTF-8 is a ValueError; msgspec's own errors once were none."""

_OWN = b'{"resourceSpans":'
_DIGITS = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_REAL = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?", re.ASCII)


class Attribute(msgspec.Struct, gc=False):
    """A key, and its value as it stands in the line."""

    key: str | None = None
    value: msgspec.Raw = msgspec.Raw()


class Event(msgspec.Struct, gc=False):
    """A span event; `attributes` is a raw list of `Attribute`."""

    name: Any = None
    attributes: msgspec.Raw = msgspec.Raw()


class Span(msgspec.Struct, gc=False):
    """The parts of a span that are told. Ids and times may still be anything."""

    traceId: Any = None
    spanId: Any = None
    parentSpanId: Any = None
    startTimeUnixNano: Any = None
    endTimeUnixNano: Any = None
    attributes: list[Attribute] | None = None
    events: list[Event] | None = None


class _Scope(msgspec.Struct, gc=False):
    spans: list[Span] | None = None


class _Origin(msgspec.Struct, gc=False):
    attributes: list[Attribute] | None = None


class Resource(msgspec.Struct, gc=False):
    """The spans of one resource, such as a service, by instrumentation scope."""

    resource: _Origin | None = None
    scopeSpans: list[_Scope] | None = None


class Batch(msgspec.Struct, gc=False):
    """One line. Without `resourceSpans` it is another signal's, or none at all."""

    resourceSpans: list[Resource] | None


_batch = msgspec.json.Decoder(Batch)
_value = msgspec.json.Decoder()


def decode(line: bytes) -> tuple[list[Resource], bool]:
    """What a line holds, and whether that is all of it.

    A writer that is killed in a line leaves half of it, or all of it but its end, and the next one
    may go on right behind. So several messages may stand in a line, of which each that is whole
    counts. Raises nothing.
    """
    found = _decoded(line)
    if found is not None:
        return found, True
    before, *others = line.split(_OWN)
    messages = [_decoded(_OWN + other) for other in others]
    resources = [resource for message in messages for resource in message or ()]
    return resources, bool(messages) and not before.strip() and None not in messages


def _decoded(message: bytes) -> list[Resource] | None:
    try:
        return _batch.decode(message).resourceSpans or []
    except UNREADABLE:
        return None


def plain(raw: msgspec.Raw) -> object:
    """An attribute's value in Python; None for what cannot be read. Raises nothing."""
    try:
        return _plain(_value.decode(raw))
    except UNREADABLE:
        return None


def whole(given: object) -> int | None:
    """A 64-bit integer, given as a number or as a decimal string."""
    if isinstance(given, str) and _DIGITS.fullmatch(given):
        given = int(given)
    if type(given) is int and -(2**63) <= given < 2**64:
        return given
    return None


def _real(given: object) -> float | None:
    if isinstance(given, str) and _REAL.fullmatch(given):
        given = float(given)
    if type(given) is int and abs(given) < 2**64:
        given = float(given)
    return given if isinstance(given, float) and math.isfinite(given) else None


def _plain(value: object) -> object:
    for kind, held in value.items() if isinstance(value, dict) else ():
        if kind in _KINDS:
            return _KINDS[kind](held)
    return None


def _items(held: object) -> object:
    values = held.get("values") if isinstance(held, dict) else None
    return [_plain(value) for value in values] if isinstance(values, list) else []


def _fields(held: object) -> object:
    values = held.get("values") if isinstance(held, dict) else None
    pairs = [pair for pair in values if isinstance(pair, dict)] if isinstance(values, list) else []
    return {str(pair.get("key")): _plain(pair.get("value")) for pair in pairs}


def _text(held: object) -> str | None:
    return held if isinstance(held, str) else None


def _flag(held: object) -> bool | None:
    return held if isinstance(held, bool) else None


_KINDS: dict[str, Callable[[object], object]] = {
    "stringValue": _text,
    "boolValue": _flag,
    "intValue": whole,
    "doubleValue": _real,
    "arrayValue": _items,
    "kvlistValue": _fields,
    "bytesValue": _text,
}
"""The kinds of `AnyValue`."""
