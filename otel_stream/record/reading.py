"""Asking a reader: what it makes of a chunk, of the end, of an exception. None of it may raise."""

from __future__ import annotations

from typing import Any

from otel_stream.delta import Failure, Found, Reader, Skip
from otel_stream.errors import guard

__all__ = ["AfterFailure", "explain", "is_whole"]


class AfterFailure:
    """Reads on after an error event. What follows belongs to it and is no chunk of the answer."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, chunk: Any) -> Found:
        """What the chunk adds to what is known, but for a second failure."""
        found = self._reader.read(chunk)
        deltas: list[Any] = list(found) if isinstance(found, (list, tuple)) else [found]
        return [*(d for d in deltas if not isinstance(d, (Failure, Skip, type(None)))), Skip()]

    def whole(self, done: bool) -> bool:
        """An answer that failed is not whole."""
        return False

    def failure(self, error: BaseException) -> Failure | None:
        """As before."""
        return self._reader.failure(error)


def is_whole(reader: Reader, done: bool) -> bool:
    """Whether the answer is whole; by the wire's own end mark when the reader fails."""
    with guard("judging the end of a stream"):
        return reader.whole(done)
    return done


def explain(reader: Reader, error: BaseException) -> Failure | None:
    """The error event that an exception stands for, if it stands for one."""
    with guard("reading an error"):
        return reader.failure(error)
    return None
