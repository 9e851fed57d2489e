"""The arguments of one call by name, wherever the versions of pywa have them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import BoundArguments, Signature, signature
from typing import Any

__all__ = ["Arguments"]


@lru_cache(maxsize=32)
def _signature(function: Callable[..., Any]) -> Signature:
    return signature(function)


class Arguments:
    """What `function` is called with.

    Raises:
        TypeError: It cannot be called so.
    """

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._known = _signature(function).parameters
        self._bound: BoundArguments = _signature(function).bind(*args, **kwargs)

    def __getitem__(self, name: str) -> Any:
        """The argument; None where it is not given."""
        return self._bound.arguments.get(name)

    def text(self, name: str) -> str:
        """The argument, as text; "" where it is not given."""
        found = self[name]
        return "" if found is None else str(found)

    def add(self, name: str, value: Any) -> None:
        """Give an argument that is not given, if there is such a one."""
        if name in self._known and self[name] is None:
            self._bound.arguments[name] = value

    @property
    def args(self) -> tuple[Any, ...]:
        """Those by position."""
        return self._bound.args

    @property
    def kwargs(self) -> dict[str, Any]:
        """Those by name."""
        return self._bound.kwargs
