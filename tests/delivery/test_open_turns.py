"""The turns that are open: found by work that lost its context, and never more than so many."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry import context as otel_context

from otel_stream.delivery.open_turns import OpenTurns, open_turns, turn_around
from otel_stream.delivery.turn import Turn
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from tests.delivery.bodies import NUMBER


def aside(act: Any) -> Any:
    """What *act* returns on a thread to which nothing is taken along."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    thread.join()
    return found[0]


def test_found_by_the_person(turn: Turn) -> None:
    """By number or JID, however written, and by the message, until it is over."""
    open_turns.add(turn, "3EB0", f"{NUMBER}@s.whatsapp.net", "270123@lid")
    names = [NUMBER, f"+{NUMBER}", f"{NUMBER}:3@s.whatsapp.net", "270123@lid"]
    found = [open_turns.of_person(each) for each in names]
    by_message = open_turns.of_message("3EB0")
    turn.drop(Outcome.ABANDONED)

    assert (found, by_message) == ([turn] * 4, turn)
    assert open_turns.of_person(NUMBER) is None
    assert (len(open_turns), open_turns._names) == (0, {})


def test_found_by_the_other_way_to_write_a_number(turn: Turn) -> None:
    """WhatsApp's id may lack a digit of the number that the answer is sent to."""
    open_turns.add(turn, "3EB1", "553187654321@s.whatsapp.net")
    found = open_turns.of_person("5531987654321")
    turn.drop(Outcome.ABANDONED)

    assert found is turn


def test_the_last_turn_of_a_person(captured: Captured) -> None:
    """Of two open turns of one person the later is found, and stays when the other ends."""
    first, second = Turn("whatsapp", {}), Turn("whatsapp", {})
    for turn in (first, second):
        open_turns.add(turn, str(id(turn)), NUMBER)
    first.drop(Outcome.ABANDONED)
    found = open_turns.of_person(NUMBER)
    second.drop(Outcome.ABANDONED)

    assert found is second


def test_so_many(captured: Captured, clock: ScriptedClock) -> None:
    """Beyond its size the oldest are over, unless somebody works on them."""
    kept = OpenTurns(size=10)
    turns = [Turn("whatsapp", {}, clock=clock) for _ in range(30)]
    turns[0].hold()
    for number, turn in enumerate(turns):
        kept.add(turn, f"ID{number}", str(10**11 + number))
    ended = [turn.ended for turn in turns]
    watcher.end_all(Outcome.ABANDONED)

    assert ended == [False] + [True] * 19 + [False] * 10
    assert (len(kept), kept._names) == (0, {})


def test_the_same_again(turn: Turn) -> None:
    """A message that is told again and again is kept once."""
    for _ in range(100):
        open_turns.add(turn, "3EB0", NUMBER)
    names = list(open_turns._names.values())
    turn.drop(Outcome.ABANDONED)

    assert [len(each) for each in names] == [2]


def test_around_a_thread_without_context(turn: Turn) -> None:
    """On a thread without any context the person's open turn is found, and its context."""
    open_turns.add(turn, "3EB0", NUMBER)
    mine, other = aside(lambda: (turn_around(NUMBER), turn_around("5511000000000")))
    turn.drop(Outcome.ABANDONED)

    assert mine == (turn, turn.context)
    assert other == (None, {})


def test_around_the_request(captured: Captured) -> None:
    """What runs in the request that brought the message belongs to the turn."""
    tracer = captured.tracer_provider.get_tracer("web")
    with tracer.start_as_current_span("POST"):
        turn = Turn("whatsapp", {})
        open_turns.add(turn, "3EB0", NUMBER)
        found = turn_around(NUMBER)
        with tracer.start_as_current_span("inner"):
            here = otel_context.get_current()
            inner = turn_around(NUMBER)
    turn.drop(Outcome.ABANDONED)

    assert found == (turn, turn.context)
    assert (inner[0], inner[1] is here) == (turn, True)


def test_around_another_trace(turn: Turn, captured: Captured) -> None:
    """What is part of another trace stays there: a broadcast, a reminder."""
    open_turns.add(turn, "3EB0", NUMBER)
    tracer = captured.tracer_provider.get_tracer("cron")
    with tracer.start_as_current_span("remind"):
        found, here = turn_around(NUMBER), otel_context.get_current()
    turn.drop(Outcome.ABANDONED)

    assert (found[0], found[1] is here) == (None, True)


def test_around_a_worker_of_the_first_message(turn: Turn, captured: Captured) -> None:
    """A worker that the first message has started, and then serves all, is in nobody's turn."""
    open_turns.add(turn, "3EB0", NUMBER)
    token = otel_context.attach(turn.context)
    during = turn_around("5511000000000")
    turn.drop(Outcome.ABANDONED)
    other = Turn("whatsapp", {})
    open_turns.add(other, "3EB1", "5511000000000")
    later, unknown = turn_around("5511000000000"), turn_around("5511000000001")
    other.drop(Outcome.ABANDONED)
    otel_context.detach(token)

    assert during == (turn, turn.context)
    assert later == (other, other.context)
    assert unknown == (turn, turn.context)


def test_the_older_turn_once_the_last_is_over(captured: Captured) -> None:
    """When a person's last turn is over, what is sent to them answers the one before."""
    first, second = Turn("whatsapp", {}), Turn("whatsapp", {})
    for turn in (first, second):
        open_turns.add(turn, str(id(turn)), NUMBER)
    second.drop(Outcome.ABANDONED)
    found = open_turns.of_person(NUMBER)
    first.drop(Outcome.ABANDONED)

    assert found is first
    assert open_turns._by_person == {}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("one", "one"), ("two", "two"), (None, "two"), ("", "two"), ("three", None)],
)
def test_by_instance(captured: Captured, asked: str | None, expected: str | None) -> None:
    """The turn of that instance; the last one where nobody says which; none of another."""
    turns = {name: Turn("whatsapp", {}, instance=name) for name in ("one", "two")}
    for turn in turns.values():
        open_turns.add(turn, "G1", NUMBER)
    found = open_turns.of_person(NUMBER, asked), open_turns.of_message("G1", asked)
    around, _ = aside(lambda: turn_around(NUMBER, asked))
    watcher.end_all(Outcome.ABANDONED)

    assert (*found, around) == (turns.get(expected or ""),) * 3


def test_by_an_instance_that_the_turn_does_not_know(turn: Turn) -> None:
    """A turn of a channel that tells no instance is found by any."""
    open_turns.add(turn, "wamid.1", NUMBER)
    found = open_turns.of_person(NUMBER, "one")
    turn.drop(Outcome.ABANDONED)

    assert found is turn


def test_past_its_time(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """A turn for which nobody has come in time is over, also where nobody has looked yet."""
    open_turns.add(turn, "3EB0", NUMBER)
    turn.hold(works=True)
    turn.release()
    clock.advance(0.9)
    before = open_turns.of_person(NUMBER)
    clock.advance(0.2)

    assert (before, open_turns.of_person(NUMBER)) == (turn, None)
    assert captured.span("process whatsapp").end_time == turn.wall(100.0)


def test_past_its_time_in_its_context(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Who works in the context of such a turn finds the one that is open, as after any end."""
    later = Turn("whatsapp", {}, clock=clock)
    for each in (later, turn):
        open_turns.add(each, str(id(each)), NUMBER)
    turn.hold(works=True)
    turn.release()
    clock.advance(1.1)
    token = otel_context.attach(turn.context)
    found, _ = turn_around(NUMBER)
    otel_context.detach(token)
    later.drop(Outcome.ABANDONED)

    assert found is later


def test_many_messages_of_one_turn(turn: Turn) -> None:
    """A turn is found by a hundred names at most."""
    for number in range(500):
        open_turns.add(turn, f"ID{number}", NUMBER)
    kept = len(open_turns._by_message) + len(open_turns._by_person)
    turn.drop(Outcome.ABANDONED)

    assert kept == 100
    assert open_turns._by_message == {}
