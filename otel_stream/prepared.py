"""Sets of metric attributes, made ready for the SDK once and used again and again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Protocol

__all__ = ["Prepared"]

_MORE_KEPT = 256


class Sdk(Protocol):
    """What is needed of the installed SDK."""

    measurement: Any
    key: Any


class Prepared:
    """One set of attributes, copied, cleaned and hashed once. Make it once a set and use it again.

    May be shared between threads and instruments. What is changed in the mapping later is not seen.
    """

    __slots__ = ("_clean", "_keyed", "_more", "attributes")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.attributes = dict(attributes)
        self._clean: dict[str, Any] | None = None
        self._keyed: dict[frozenset[str] | None, tuple[Hashable, dict[str, Any]]] = {}
        self._more: dict[tuple[str, Any], Prepared] = {}

    def plus(self, name: str, value: Any) -> Prepared:
        """These and one more, prepared once too."""
        found = self._more.get((name, value))
        if found is None:
            found = Prepared({**self.attributes, name: value})
            if len(self._more) < _MORE_KEPT:
                self._more[name, value] = found
        return found

    def clean(self, sdk: Sdk) -> dict[str, Any]:
        """The attributes as the SDK's `Measurement` leaves them."""
        if self._clean is None:
            self._clean = dict(sdk.measurement(0, 0, None, None, self.attributes).attributes)
        return self._clean

    def keyed(self, sdk: Sdk, match: Any) -> tuple[Hashable, dict[str, Any]]:
        """What the view of *match* keeps of the attributes: the SDK's key for it, and itself."""
        only = match._view._attribute_keys
        name = None if only is None else frozenset(only)
        found = self._keyed.get(name)
        if found is None:
            kept = {k: v for k, v in self.clean(sdk).items() if only is None or k in only}
            found = self._keyed[name] = (sdk.key(kept), kept)
        return found
