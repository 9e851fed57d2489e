"""Queues whose items bring the context of who put them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

import wrapt

from otel_stream.entry import last, settle
from otel_stream.errors import guard
from otel_stream.hops import Carrier, put_down

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # which knows no parameters before wrapt 2

__all__ = ["CarryingQueue"]


class _Parcel:
    """An item in a queue, with where it comes from. Ordered as its item is, for priority queues."""

    __slots__ = ("carrier", "item")

    def __init__(self, item: Any) -> None:
        self.item = item
        self.carrier = Carrier()

    def __lt__(self, other: Any) -> bool:
        return bool(self.item < _item(other))

    def __gt__(self, other: Any) -> bool:
        return bool(_item(other) < self.item)


def _item(other: Any) -> Any:
    """What was in the queue before it was wrapped is no parcel."""
    return other.item if isinstance(other, _Parcel) else other


class CarryingQueue(_Proxy):
    """A queue whose items bring the context of who put them."""

    def put(self, item: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__.put(_Parcel(item), *args, **kwargs)

    def put_nowait(self, item: Any) -> None:
        self.__wrapped__.put_nowait(_Parcel(item))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        self._done()
        taken = self.__wrapped__.get(*args, **kwargs)
        return self._later(taken) if iscoroutine(taken) else self._opened(taken)

    def get_nowait(self) -> Any:
        self._done()
        return self._opened(self.__wrapped__.get_nowait())

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        return found if name != "task_done" else self._telling(found)  # `SimpleQueue` has none.

    def _telling(self, task_done: Callable[[], None]) -> Callable[[], None]:
        def done() -> None:
            self._done()
            task_done()

        return done

    async def _later(self, taken: Coroutine[Any, Any, Any]) -> Any:
        return self._opened(await taken)

    def _opened(self, parcel: Any) -> Any:
        if isinstance(parcel, _Parcel):
            with guard("taking a queue's item"):
                parcel.carrier.take_up(via=self.__wrapped__)
        return _item(parcel)

    def _done(self) -> None:
        """What was taken before is done with."""
        queue = self.__wrapped__
        with guard("leaving a queue's item"):
            entry = last(lambda each: each.via is queue)
            if entry is not None:
                put_down(entry)
            else:  # Or it is over already, but for a span that stood on it then.
                settle()
