"""Attribute values that every exporter can encode.

An OTLP exporter fails at half an emoji (a lone surrogate, common in a cut stream) and at a whole
number beyond 64 bits, and then drops its whole batch, with the spans of others in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["LARGEST", "encodable", "sound"]

LARGEST = 2**63 - 1
"""The largest whole number of OTLP (`AnyValue.int_value`)."""


def encodable(text: str) -> str:
    """`text` with `?` for each half of an emoji."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def sound(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """`attributes` with texts made encodable, and without the numbers that are too large.

    Types are not judged: that is the SDK's business.
    """
    return {
        name: value if value.__class__ in _ALWAYS_SOUND else _sound(value)
        for name, value in attributes.items()
        if not _is_too_large(value)
    }


_ALWAYS_SOUND = frozenset({bool, float, type(None)})


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, (list, tuple)):
        return [_sound(one) for one in value if not _is_too_large(one)]
    return value


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int) and not -LARGEST - 1 <= value <= LARGEST
