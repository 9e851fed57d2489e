"""The turns that are not over, by the person and by the message: for work that lost its context."""

from __future__ import annotations

from itertools import islice
from threading import Lock

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from otel_stream.delivery.identity import person_of, same_instance
from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.fork import call_in_child

__all__ = ["OpenTurns", "open_turns", "turn_around"]

_KEPT = 10_000
_NAMES = 100
"""Messages and people by which one turn is found."""
_Kept = dict[str, dict[Turn, None]]
"""Turns by name, the newest last."""


class OpenTurns:
    """The newest open turns. The oldest are forgotten here, and over if nobody works on them.

    The channel's instance tells turns apart where both sides know it: two bots of one process may
    talk to one person, and a message in a group has one id for all of them.

    Args:
        size: Turns kept.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._size = size
        self._start_anew()
        call_in_child(self._start_anew)

    def add(self, turn: Turn, message_id: str, *people: str) -> None:
        """Find `turn` by these from now on. A person's last turn counts, while it is open.

        Args:
            turn: An open turn.
            message_id: Of the message that it answers.
            people: Numbers and JIDs, all of one person, or of a group, that its answers go to.
        """
        turn.when_over = self._forget
        for person in people:
            turn.people.add(person)
        with self._lock:
            self._keep(self._by_message, message_id, turn)
            for person in people:
                self._keep(self._by_person, person_of(person), turn)
            beyond = list(islice(self._names, max(0, len(self._names) - self._size)))
        for oldest in beyond:
            self._forget(oldest)
            oldest.give_up()

    def of_message(self, message_id: str, instance: str | None = None) -> Turn | None:
        """The open turn that this message of a person began."""
        return self._open(self._by_message, message_id, instance)

    def of_person(self, recipient: str, instance: str | None = None) -> Turn | None:
        """The open turn of this person, by number or JID."""
        return self._open(self._by_person, person_of(recipient), instance)

    def __len__(self) -> int:
        return len(self._names)

    def _open(self, kept: _Kept, key: str, instance: str | None) -> Turn | None:
        with self._lock:
            newest_first = list(reversed(kept.get(key, {})))
        # Without the lock: one that is found to be over is forgotten at once.
        for turn in newest_first:
            if same_instance(turn.instance, instance) and not turn.over():
                return turn
        return None

    def _keep(self, kept: _Kept, key: str, turn: Turn) -> None:
        names = self._names.setdefault(turn, [])
        if key and turn not in kept.get(key, ()) and len(names) < _NAMES:
            kept.setdefault(key, {})[turn] = None
            names.append((kept, key))

    def _forget(self, turn: Turn) -> None:
        with self._lock:
            for kept, key in self._names.pop(turn, ()):
                del kept[key][turn]
                if not kept[key]:
                    del kept[key]

    def _start_anew(self) -> None:
        """At first, and in a forked child: open turns are the parent's."""
        self._by_message: _Kept = {}
        self._by_person: _Kept = {}
        self._names: dict[Turn, list[tuple[_Kept, str]]] = {}
        self._lock = Lock()


open_turns = OpenTurns()
"""The process's only ones."""


def turn_around(recipient: str, instance: str | None = None) -> tuple[Turn | None, Context]:
    """The turn that something for this person belongs to, and the context to do it in.

    That of the current context. Where the turn was lost on the way (a thread that nothing was taken
    along to, what a web framework does after the reply), the one of the person, if they wait for an
    answer and what is current here is no other trace. A turn that is over is not the one, where the
    person has another that is open: a worker that the first message has started stays in its
    context.
    """
    here = otel_context.get_current()
    turn = turn_in(here)
    if turn is not None and turn.over():
        open_now = open_turns.of_person(recipient, instance)
        if open_now is not None:
            return open_now, open_now.context
    if turn is not None:
        theirs = _of_same_webhook(turn, recipient, instance)
        return (turn, here) if theirs is turn else (theirs, theirs.context)
    turn = open_turns.of_person(recipient, instance)
    if turn is None:
        return None, here
    current = trace.get_current_span(here).get_span_context()
    if not current.is_valid or current == turn.around:
        return turn, turn.context
    # Somewhere in the same trace: the parent stays the one that somebody has made current.
    same = current.trace_id == turn.span.get_span_context().trace_id
    return turn if same else None, here


def _of_same_webhook(turn: Turn, recipient: str, instance: str | None) -> Turn:
    """One webhook may bring messages of several people: what is sent tells which is answered."""
    if turn.batch is None:
        return turn
    theirs = open_turns.of_person(recipient, instance)
    return theirs if theirs is not None and theirs.batch is turn.batch else turn
