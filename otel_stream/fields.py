"""The fields of a provider's object, whether it is a model of the SDK or plain JSON.

Neither checks what a provider sends, so what should be an object or a list may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["field_of", "fields_of", "items_of"]

_NONE: dict[str, Any] = {}


def fields_of(value: Any) -> Mapping[str, Any]:
    """What `value` holds by name: declared fields and those that the SDK does not know.

    Asking a pydantic model for an attribute that it lacks costs an exception, some 2 us; a look
    into its dictionaries costs a tenth. What is no object has no fields.
    """
    if isinstance(value, dict):
        return value
    own = getattr(value, "__dict__", None)
    if own is None:
        return _NONE
    extra = getattr(value, "__pydantic_extra__", None)
    return {**own, **extra} if extra else own


def field_of(value: Any, name: str) -> Any:
    """One field of a model or of JSON; None if there is none. An SDK that is older than what a
    provider sends gives the unknown part of its object as plain JSON.
    """
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def items_of(value: Any) -> list[Any]:
    """The items of a list. What is no list has none."""
    return list(value) if isinstance(value, (list, tuple)) else []
