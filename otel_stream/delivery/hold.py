"""A turn that is held: let go by whoever holds it, or when nobody is there any more to do so."""

from __future__ import annotations

from otel_stream.delivery.turn import Turn
from otel_stream.errors import guard
from otel_stream.watcher import watcher

__all__ = ["Hold"]


class Hold:
    """A hold of a turn that is let go once: when it says so, or when nobody has it any more."""

    __slots__ = ("__weakref__", "_turn")

    def __init__(self, turn: Turn, *, carried: bool = False, works: bool = False) -> None:
        self._turn: Turn | None = turn
        turn.hold(carried=carried, works=works)

    def release(self) -> None:
        """It is done."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.release()

    def __del__(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            with guard("dropping a hold of a turn"):
                watcher.soon(turn.release)
