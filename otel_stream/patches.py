"""Methods of somebody else's classes, wrapped and put back exactly as they were."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

from otel_stream.errors import guard

__all__ = ["Patches", "Wrapper"]

Wrapper = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""`(wrapped, args, kwargs) -> result`, called instead of `wrapped(*args, **kwargs)`."""


class Patches:
    """What one instrumentor has wrapped.

    Args:
        rehearse: Only look whether the targets are there, and wrap nothing.
    """

    def __init__(self, *, rehearse: bool = False) -> None:
        self._rehearse = rehearse
        self._patches: list[_Patch] = []
        self.missing: list[str] = []
        """Targets that this version of the library does not have."""

    def wrap(self, target: str, wrapper: Wrapper) -> None:
        """Wrap `module:Class.method` or `module:function`.

        A target that does not exist is noted and logged once, and the others still work: libraries
        rename what is private.
        """
        if self._rehearse:
            self._look_for(target)
            return
        self.missing.append(target)
        with guard(f"wrapping {target}"):
            self._patches.append(_Patch(*_found(target), wrapper))
            self.missing.remove(target)

    def restore(self) -> None:
        """Put every original back, but where somebody has wrapped ours since: theirs stays."""
        while self._patches:
            self._patches.pop().undo()
        self.missing.clear()

    def _look_for(self, target: str) -> None:
        try:
            _found(target)
        except (ImportError, AttributeError, KeyError):
            self.missing.append(target)


class _Patch:
    """One member of a class or module, wrapped."""

    def __init__(self, owner: Any, name: str, original: Any, wrapper: Wrapper) -> None:
        self._owner = owner
        self._name = name
        self._original = original
        self.wrapper: Wrapper | None = wrapper
        self._wrapped = _wrapped(original, self)
        setattr(owner, name, self._wrapped)

    def undo(self) -> None:
        """Put the original back. What somebody's wrapper still calls only passes on from now."""
        self.wrapper = None
        if vars(self._owner).get(self._name) is self._wrapped:
            setattr(self._owner, self._name, self._original)


def _wrapped(original: Any, patch: _Patch) -> Any:
    """A function in the place of `original`: as wrapt makes them, in half the time a call."""

    @wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        wrapper = patch.wrapper
        return original(*args, **kwargs) if wrapper is None else wrapper(original, args, kwargs)

    if not iscoroutinefunction(original):
        return function

    @wraps(original)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return coroutine


def _found(target: str) -> tuple[Any, str, Any]:
    """The owner of `module:Class.method` or `module:function`, the name there, and what it holds.

    Raises:
        ImportError, AttributeError, KeyError: There is no such thing.
    """
    module, _, path = target.partition(":")
    *classes, name = path.split(".")
    owner = import_module(module)
    for part in classes:
        owner = getattr(owner, part)
    return owner, name, vars(owner)[name]
