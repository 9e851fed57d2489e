"""Queues whose items bring the context of who put them."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import ContextVar
from inspect import iscoroutine
from typing import Any

import wrapt

from otel_stream.errors import guard
from otel_stream.hops import Carrier

__all__ = ["CarryingQueue"]


class _Parcel:
    """An item in a queue, with where it comes from. Ordered as its item is, for priority queues."""

    __slots__ = ("carrier", "item")

    def __init__(self, item: Any) -> None:
        self.item = item
        self.carrier = Carrier()

    def __lt__(self, other: _Parcel) -> bool:
        return bool(self.item < other.item)


_open: ContextVar[dict[int, Carrier] | None] = ContextVar("otel_stream-open-parcels", default=None)


class CarryingQueue(wrapt.ObjectProxy[Any]):
    """A queue whose items bring the context of who put them."""

    def put(self, item: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__.put(_Parcel(item), *args, **kwargs)

    def put_nowait(self, item: Any) -> None:
        self.__wrapped__.put_nowait(_Parcel(item))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        self._close()
        taken = self.__wrapped__.get(*args, **kwargs)
        return self._later(taken) if iscoroutine(taken) else self._opened(taken)

    def get_nowait(self) -> Any:
        self._close()
        return self._opened(self.__wrapped__.get_nowait())

    def task_done(self) -> None:
        self._close()
        self.__wrapped__.task_done()

    async def _later(self, taken: Coroutine[Any, Any, Any]) -> Any:
        return self._opened(await taken)

    def _opened(self, parcel: Any) -> Any:
        if not isinstance(parcel, _Parcel):
            return parcel  # It was there before.
        carrier = parcel.carrier.__enter__()
        _open.set({**(_open.get() or {}), id(self.__wrapped__): carrier})
        return parcel.item

    def _close(self) -> None:
        """What was taken before is done with."""
        lasting = dict(_open.get() or {})
        carrier = lasting.pop(id(self.__wrapped__), None)
        if carrier is not None:
            _open.set(lasting)
            with guard("leaving a queue's item"):
                carrier.__exit__(None, None, None)
