"""What `trace_stream` returns: the iterable as it was, but for how it is iterated and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import wrapt

from otel_stream import interruption
from otel_stream.errors import guard

__all__ = ["TracedAsync", "TracedSync"]

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # which knows no parameters before wrapt 2


class _Traced(_Proxy):
    def __init__(self, wrapped: Any, held: Any) -> None:
        super().__init__(wrapped)
        self._self_held = held

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        return self._closing(found) if name in ("aclose", "close") else found

    def _closing(self, close: Any) -> Any:
        def closing(*args: Any, **kwargs: Any) -> Any:
            self._closes()
            return close(*args, **kwargs)

        return closing

    def _closes(self) -> None:
        with guard("closing a stream"):
            self._self_held.recorder.close(interruption.of_reader())


class TracedSync(_Traced):
    """Of a sync iterable."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self._self_held)

    def __next__(self) -> Any:
        return next(self._self_held)

    def __enter__(self) -> Any:
        entered = self.__wrapped__.__enter__()
        return self if entered is self.__wrapped__ else entered

    def __exit__(self, *error: Any) -> Any:
        self._closes()
        return self.__wrapped__.__exit__(*error)


class TracedAsync(_Traced):
    """Of an async iterable."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._self_held.__aiter__()  # type: ignore[no-any-return]

    def __anext__(self) -> Any:
        return self._self_held.__anext__()

    async def __aenter__(self) -> Any:
        entered = await self.__wrapped__.__aenter__()
        return self if entered is self.__wrapped__ else entered

    async def __aexit__(self, *error: Any) -> Any:
        self._closes()
        return await self.__wrapped__.__aexit__(*error)
