"""How large spans and log records are on the wire, near enough, and parts that receivers take.

A receiver has a bound for one request: 4 MiB for gRPC (its default everywhere), 20 MiB for the
collector's HTTP, 1 MiB or less for some proxies. Queues count items, and one that holds captured
content is as large as a hundred that do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["LARGEST", "parts", "size_of"]

LARGEST = 2 * 1024 * 1024
"""Bytes of one request, by estimate: half of what gRPC receivers take."""
_ITEM, _EVENT, _ENTRY, _NUMBER = 120, 16, 8, 4

T = TypeVar("T")


def parts(items: Sequence[T], largest: int = LARGEST) -> Iterator[Sequence[T]]:
    """The items in order, in as few parts as their sizes allow. One that is larger stands alone."""
    begin = total = 0
    for place, item in enumerate(items):
        size = size_of(item)
        if place > begin and total + size > largest:
            yield items[begin:place]
            begin, total = place, 0
        total += size
    if begin < len(items):
        yield items[begin:]


def size_of(item: Any) -> int:
    """Bytes of a span or a log record in protobuf, within a quarter."""
    record = getattr(item, "log_record", item)
    size = _ITEM + _weight(getattr(record, "attributes", None))
    size += _weight(getattr(record, "body", None))
    for part in (*getattr(record, "events", ()), *getattr(record, "links", ())):
        size += _EVENT + len(getattr(part, "name", "")) + _weight(part.attributes)
    return size


def _weight(value: Any) -> int:
    if isinstance(value, int | float):
        return _NUMBER
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        # A copy is a plain dictionary: the SDK's own takes a lock for each of its entries.
        plain = value.copy() if hasattr(value, "copy") else value
        return sum(len(key) + _ENTRY + _weight(inner) for key, inner in plain.items())
    if isinstance(value, Sequence):
        return sum(4 + _weight(inner) for inner in value)
    return 0
