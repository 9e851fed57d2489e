"""What stands in for the body of a response of httpx or httpx2, of its kind, with what it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from typing import Any

__all__ = ["TappedBody", "TappedBytes", "of_its_kind"]


class TappedBody:
    """What sync and async stand-ins share: what is not theirs is the body's."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_body"], name)


class TappedBytes:
    """The iterator of an async stand-in: an object and no generator, so that leaving it needs no
    help of the event loop.

    It has a generator's methods: httpx2 closes the iterator that it reads if it looks like one.
    """

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        raise NotImplementedError

    def asend(self, value: Any) -> Coroutine[Any, Any, bytes]:
        """The next bytes: a body takes nothing."""
        return self.__anext__()

    async def athrow(self, error: Any, value: Any = None, traceback: Any = None) -> bytes:
        await self.aclose()
        raise error

    async def aclose(self) -> None:
        raise NotImplementedError


def of_its_kind(body: type[Any], sync: type[Any], asynchronous: type[Any]) -> type[Any]:
    """`sync`, `asynchronous`, or both, as a class of the same kinds as `body`: so the library's own
    checks of the kind still hold.
    """
    bases: list[type[Any]] = []
    for mixin, name in ((sync, "SyncByteStream"), (asynchronous, "AsyncByteStream")):
        kind = next((base for base in body.__mro__ if base.__name__ == name), None)
        if kind is not None:
            bases += [mixin, kind]
    return type("TappedStream", tuple(bases), {})
