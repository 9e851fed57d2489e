"""Methods of somebody else's classes, wrapped and put back exactly as they were."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

import wrapt

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
        """Wrap `module:Class.method`, a property likewise, or `module:function`.

        A target that does not exist is noted and logged once, and the others still work: libraries
        rename what is private.
        """
        self._put(target, wrapper, bound=False)

    def wrap_bound(self, target: str, wrapper: Callable[[Any], Any]) -> None:
        """Wrap `module:Class.method` where an instance's is looked up: `wrapper(method)` is got.

        That is where the work of a thread is handed over, and its call is in the thread.
        """
        self._put(target, wrapper, bound=True)

    def restore(self) -> None:
        """Put every original back, but where somebody has wrapped ours since: theirs stays."""
        while self._patches:
            self._patches.pop().undo()
        self.missing.clear()

    def _put(self, target: str, wrapper: Callable[..., Any], bound: bool) -> None:
        if self._rehearse:
            self._look_for(target)
            return
        self.missing.append(target)
        with guard(f"wrapping {target}"):
            self._patches.append(_Patch(*_found(target), wrapper, bound))
            self.missing.remove(target)

    def _look_for(self, target: str) -> None:
        try:
            _found(target)
        except (ImportError, AttributeError, KeyError):
            self.missing.append(target)


class _Patch:
    """One member of a class or module, wrapped.

    Wrappers that others have made with wrapt stay above ours. Theirs may keep a span current from
    the call until its stream is left, and what they put back then must not be one of ours.
    """

    def __init__(
        self, owner: Any, name: str, original: Any, wrapper: Callable[..., Any], bound: bool
    ) -> None:
        self._owner = owner
        self._name = name
        above, self._original = _innermost(original)
        self.wrapper: Callable[..., Any] | None = wrapper
        self._wrapped = (_Bound if bound else _wrapped)(self._original, self)
        self._put(above, self._wrapped)

    def undo(self) -> None:
        """Put the original back. What somebody's wrapper still calls only passes on from now."""
        self.wrapper = None
        above, found = _innermost(vars(self._owner).get(self._name))
        if found is self._wrapped:
            self._put(above, self._original)

    def _put(self, above: Any, value: Any) -> None:
        if above is None:
            setattr(self._owner, self._name, value)
        else:
            above.__wrapped__ = value


def _innermost(member: Any) -> tuple[Any, Any]:
    """What wrapt's wrappers are around, and the one that is next to it, if there is any."""
    above = None
    while isinstance(member, wrapt.FunctionWrapper):
        above, member = member, member.__wrapped__
    return above, member


def _wrapped(original: Any, patch: _Patch) -> Any:
    """A function in the place of `original`: as wrapt makes them, in half the time a call."""

    if isinstance(original, property):
        getter = _wrapped(original.fget, patch)
        return property(getter, original.fset, original.fdel, original.__doc__)

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


class _Bound:
    """In the place of a method; the class itself still gives the original."""

    def __init__(self, original: Any, patch: _Patch) -> None:
        self.__wrapped__ = original
        self._patch = patch

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        method, wrapper = self.__wrapped__.__get__(instance, owner), self._patch.wrapper
        return method if instance is None or wrapper is None else wrapper(method)


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
