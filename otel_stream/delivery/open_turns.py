"""The turns that are not over, by the person and by the message: for work that lost its context."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from otel_stream.delivery.identity import person_of
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.fork import call_in_child

__all__ = ["OpenTurns", "open_turns", "turn_around"]

_KEPT = 10_000


class OpenTurns:
    """The newest open turns. The oldest are forgotten here, and over if nobody works on them.

    Args:
        size: Turns kept.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._size = size
        self._start_anew()
        call_in_child(self._start_anew)

    def add(self, turn: Turn, message_id: str, *people: str) -> None:
        """Find `turn` by these from now on. A person's last turn counts.

        Args:
            turn: An open turn.
            message_id: Of the message that it answers.
            people: Numbers and JIDs, all of one person, or of a group, that its answers go to.
        """
        turn.person = turn.person or next(iter(people), "")
        turn.when_over = self._forget
        with self._lock:
            beyond = self._keep(self._by_message, message_id, turn)
            for person in people:
                self._keep(self._by_person, person_of(person), turn)
        for oldest in beyond:
            oldest.give_up()

    def of_message(self, message_id: str) -> Turn | None:
        """The open turn that this message of a person began."""
        return self._open(self._by_message, message_id)

    def of_person(self, recipient: str) -> Turn | None:
        """The open turn of this person, by number or JID."""
        return self._open(self._by_person, person_of(recipient))

    def __len__(self) -> int:
        return max(len(self._by_message), len(self._by_person))

    def _open(self, kept: OrderedDict[str, Turn], key: str) -> Turn | None:
        with self._lock:
            turn = kept.get(key)
        return None if turn is None or turn.ended else turn

    def _keep(self, kept: OrderedDict[str, Turn], key: str, turn: Turn) -> list[Turn]:
        """Keep it. Returns what had to make room."""
        if not key or kept.get(key) is turn:
            return []
        kept.pop(key, None)
        kept[key] = turn
        self._names.setdefault(turn, []).append((kept, key))
        return [kept.popitem(last=False)[1] for _ in range(len(kept) - self._size)]

    def _forget(self, turn: Turn) -> None:
        with self._lock:
            for kept, key in self._names.pop(turn, ()):
                if kept.get(key) is turn:
                    del kept[key]

    def _start_anew(self) -> None:
        """At first, and in a forked child: open turns are the parent's."""
        self._by_message: OrderedDict[str, Turn] = OrderedDict()
        self._by_person: OrderedDict[str, Turn] = OrderedDict()
        self._names: dict[Turn, list[tuple[OrderedDict[str, Turn], str]]] = {}
        self._lock = Lock()


open_turns = OpenTurns()
"""The process's only ones."""


def turn_around(recipient: str) -> tuple[Turn | None, Context]:
    """The turn that something for this person belongs to, and the context to do it in.

    That of the current context. Where the turn was lost on the way (a thread that nothing was taken
    along to, what a web framework does after the reply), the one of the person, if they wait for an
    answer and what is current here is no other trace. A turn that is over is not the one, where the
    person has another that is open: a worker that the first message has started stays in its
    context.
    """
    here = otel_context.get_current()
    turn = turn_in(here)
    if turn is not None and turn.ended:
        open_now = open_turns.of_person(recipient)
        if open_now is not None:
            return open_now, open_now.context
    if turn is not None:
        theirs = _of_same_webhook(turn, recipient)
        return (turn, here) if theirs is turn else (theirs, theirs.context)
    turn = open_turns.of_person(recipient)
    if turn is None:
        return None, here
    current = trace.get_current_span(here).get_span_context()
    if not current.is_valid or current == turn.around:
        return turn, turn.context
    # Somewhere in the same trace: the parent stays the one that somebody has made current.
    same = current.trace_id == turn.span.get_span_context().trace_id
    return turn if same else None, here


def _of_same_webhook(turn: Turn, recipient: str) -> Turn:
    """One webhook may bring messages of several people: what is sent tells which is answered."""
    if turn.batch is None:
        return turn
    theirs = open_turns.of_person(recipient)
    return theirs if theirs is not None and theirs.batch is turn.batch else turn
