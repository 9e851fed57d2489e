"""The turns that are not over, by the person and by the message: for work that lost its context."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from otel_stream.delivery.identity import number_of
from otel_stream.delivery.turn import Turn, turn_in

__all__ = ["OpenTurns", "open_turns", "turn_around"]

_KEPT = 10_000


class OpenTurns:
    """The newest open turns; the oldest are forgotten here, and go on all the same.

    Args:
        size: Turns kept.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._size = size
        self._by_message: OrderedDict[str, Turn] = OrderedDict()
        self._by_person: OrderedDict[str, Turn] = OrderedDict()
        self._lock = Lock()

    def add(self, turn: Turn, message_id: str, sender: str) -> None:
        """Find `turn` by these from now on. The person's last turn counts."""
        turn.person = sender
        with self._lock:
            for kept, key in ((self._by_message, message_id), (self._by_person, _key(sender))):
                if key:
                    kept.pop(key, None)
                    kept[key] = turn
                    self._make_room(kept)

    def of_message(self, message_id: str) -> Turn | None:
        """The open turn that this message of a person began."""
        return self._open(self._by_message, message_id)

    def of_person(self, recipient: str) -> Turn | None:
        """The open turn of this person, by number or JID."""
        return self._open(self._by_person, _key(recipient))

    def _open(self, kept: OrderedDict[str, Turn], key: str) -> Turn | None:
        with self._lock:
            turn = kept.get(key)
            if turn is not None and turn.ended:
                del kept[key]
                return None
            return turn

    def _make_room(self, kept: OrderedDict[str, Turn]) -> None:
        while kept:
            key, oldest = next(iter(kept.items()))
            if not oldest.ended and len(kept) <= self._size:
                return
            del kept[key]


def _key(person: str) -> str:
    return number_of(person) or person


open_turns = OpenTurns()
"""The process's only ones."""


def turn_around(recipient: str) -> tuple[Turn | None, Context]:
    """The turn that something for this person belongs to, and the context to do it in.

    That of the current context; where there is no trace at all, as on a thread that nothing was
    taken along to, the one of the person, if they wait for an answer.
    """
    here = otel_context.get_current()
    turn = turn_in(here)
    if turn is not None or trace.get_current_span(here).get_span_context().is_valid:
        return turn, here
    turn = open_turns.of_person(recipient)
    return turn, here if turn is None else turn.context
