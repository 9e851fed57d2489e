"""Typing: one span a stretch, however many calls, and its seconds told of each message once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

import otel_stream
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import Turn
from otel_stream.delivery.typing import Typing, typing
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from tests.delivery.bodies import NUMBER

TIME = "otel_stream.delivery.typing_time"


@pytest.fixture
def shown(captured: Captured, clock: ScriptedClock, monkeypatch: pytest.MonkeyPatch) -> Typing:
    """The process's typing, by the scripted clock."""
    monkeypatch.setattr(typing, "_clock", clock)
    return typing


def times(captured: Captured) -> list[Any]:
    """Seconds and calls of each stretch."""
    calls = "otel_stream.delivery.attempts"
    spans = captured.spans("type whatsapp")
    return [((span.attributes or {})[TIME], (span.attributes or {})[calls]) for span in spans]


def test_says_it_all(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """The span of a stretch of three calls that was stopped."""
    for _ in range(3):
        shown.shown(NUMBER, 15.0, instance="testonho", server_address="evolution.example")
        clock.advance(5.0)
    shown.stopped(f"{NUMBER}@s.whatsapp.net")
    span = captured.span()

    assert dict(span.attributes or {}) == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "type",
        "otel_stream.delivery.recipient": hidden(NUMBER),
        "otel_stream.channel.instance": "testonho",
        "server.address": "evolution.example",
        TIME: 15.0,
        "otel_stream.delivery.attempts": 3,
    }
    assert ((span.end_time or 0) - (span.start_time or 0)) / 1e9 == pytest.approx(15.0)


def test_runs_out(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """Where nobody stops it, it ends when what was shown has run out; then another one begins."""
    shown.shown(NUMBER, 2.0)
    watcher.look(clock.advance(10.0))
    shown.shown(NUMBER, 3.0)
    shown.shown(NUMBER, 3.0)
    watcher.look(clock.advance(10.0))

    assert times(captured) == [(2.0, 1), (3.0, 2)]
    assert shown._lasting == {}


def test_runs_out_unseen(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """A call after the end begins anew also where nobody has looked in between."""
    shown.shown(NUMBER, 2.0)
    clock.advance(2.0)
    shown.shown(NUMBER, 1.0)
    shown.stopped(NUMBER)

    assert times(captured) == [(2.0, 1), (0.0, 1)]


@pytest.mark.parametrize("lasts", [0.0, -1.0, float("nan")])
def test_shows_nothing(
    captured: Captured, shown: Typing, clock: ScriptedClock, lasts: float
) -> None:
    """A call that shows nothing leaves nothing open."""
    for _ in range(2):
        shown.shown(NUMBER, lasts)
        watcher.look(clock.advance(1.0))

    assert times(captured) == [(0.0, 1), (0.0, 1)]


def test_for_ever(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """Nobody types for ever."""
    shown.shown(NUMBER, float("inf"))
    watcher.look(clock.advance(601.0))

    assert times(captured) == [(600.0, 1)]


def test_split_over_messages(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """Each message takes the place of the typing before it, and tells of that; the turn of all."""
    turn = Turn("whatsapp", {}, clock=clock)
    turn.hold(carried=True)
    open_turns.add(turn, "3EB0", NUMBER)
    for wait in (2.0, 3.0, 1.0):
        shown.shown(NUMBER, 15.0)
        clock.advance(wait)
        Send(Message(recipient=NUMBER), clock=clock).accepted()
        clock.advance(0.5)
    Send(Message(recipient=NUMBER), clock=clock).accepted()
    turn.release()
    told = [(span.attributes or {}).get(TIME) for span in captured.spans("send whatsapp")]

    assert told == [2.0, 3.0, 1.0, None]
    assert (captured.span("process whatsapp").attributes or {})[TIME] == 6.0


def test_refused(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """What the channel has not shown is not counted, and the span says so."""
    shown.shown(NUMBER, 5.0)
    shown.refused(NUMBER, "500")
    shown.refused(NUMBER, "500")
    span = captured.span()

    assert times(captured) == [(0.0, 1)]
    assert (span.status.status_code, (span.attributes or {})["error.type"]) == (
        StatusCode.ERROR,
        "500",
    )


def test_on_a_thread_without_context(
    captured: Captured, shown: Typing, clock: ScriptedClock
) -> None:
    """A thread that shows typing finds the open turn of the person."""
    turn = Turn("whatsapp", {}, clock=clock)
    open_turns.add(turn, "3EB0", NUMBER)
    thread = threading.Thread(target=shown.shown, args=(NUMBER, 5.0))
    thread.start()
    thread.join()
    shown.stopped(NUMBER)
    turn.drop(Outcome.ABANDONED)

    assert captured.span("type whatsapp").parent == turn.span.get_span_context()


def test_suppressed(captured: Captured, shown: Typing) -> None:
    """In a block of `suppress` nothing is shown."""
    with otel_stream.suppress():
        shown.shown(NUMBER, 5.0)

    assert (captured.spans(), shown._lasting) == ([], {})


def test_so_many_people(captured: Captured, clock: ScriptedClock) -> None:
    """Beyond its size the oldest make room, of what lasts and of what is told of nobody."""
    small = Typing(clock, size=10)
    for number in range(30):
        small.shown(str(10**11 + number), 5.0)
        clock.advance(1.0)
    lasting = len(small._lasting)
    for number in range(30):
        small.stopped(str(10**11 + number))

    assert (lasting, len(small._lasting), len(small._untold)) == (10, 0, 10)
    assert len(captured.spans()) == 30


def test_many_threads(captured: Captured, clock: ScriptedClock) -> None:
    """Threads that show, stop and look leave nothing open, and end each stretch once."""
    busy = Typing(clock)

    def work() -> None:
        for _ in range(100):
            busy.shown(NUMBER, 0.1)
            busy.taken(NUMBER)
            watcher.look(clock.advance(0.05))
            busy.stopped(NUMBER)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert (busy._lasting, captured.open_spans()) == ({}, [])


def test_ends_with_the_process(captured: Captured, shown: Typing, clock: ScriptedClock) -> None:
    """What lasts when the process ends is over then."""
    shown.shown(NUMBER, 15.0)
    clock.advance(2.0)
    watcher.end_all(Outcome.ABANDONED)

    assert times(captured) == [(2.0, 1)]


def test_nothing_is_left_for_the_next_answer(
    captured: Captured, shown: Typing, clock: ScriptedClock
) -> None:
    """What was shown while a message was sent is that message's, also if nobody stops it."""
    for _ in range(2):
        shown.shown(NUMBER, 3.0)
        clock.advance(0.2)
        send = Send(Message(recipient=NUMBER), clock=clock)
        clock.advance(0.1)
        send.accepted()
        clock.advance(4.0)
    told = [(span.attributes or {}).get(TIME) for span in captured.spans("send whatsapp")]

    assert told == [pytest.approx(0.3)] * 2
    assert times(captured) == [(pytest.approx(0.3), 1)] * 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"recipient": "ana.7@mail.com"}, {"recipient": "U7BOB"}),
        ({"system": "console"}, {"system": "whatsapp"}),
        ({"instance": "one"}, {"instance": "two"}),
    ],
)
def test_stretches_of_their_own(
    captured: Captured,
    shown: Typing,
    clock: ScriptedClock,
    first: dict[str, str],
    second: dict[str, str],
) -> None:
    """People whose names have the same digits, channels and instances: each types for itself."""
    one, other = ({"recipient": NUMBER, **each} for each in (first, second))
    shown.shown(**one, lasts=10.0)  # type: ignore[arg-type]
    clock.advance(1.0)
    shown.shown(**other, lasts=10.0)  # type: ignore[arg-type]
    clock.advance(1.0)
    shown.stopped(**one)  # type: ignore[arg-type]
    told = [shown.taken(**each) for each in (one, other, one)]  # type: ignore[arg-type]
    watcher.end_all(Outcome.ABANDONED)

    assert told == [2.0, 1.0, 0.0]
    assert len(captured.open_spans()) == 0


@pytest.mark.parametrize(("first", "second"), [(None, "one"), ("one", None)])
def test_an_instance_that_one_side_does_not_know(
    captured: Captured,
    shown: Typing,
    clock: ScriptedClock,
    first: str | None,
    second: str | None,
) -> None:
    """Where one of two tellers does not say which instance it is, it is one stretch."""
    shown.shown(NUMBER, 10.0, instance=first)
    shown.shown(NUMBER, 10.0, instance=second)
    clock.advance(1.0)
    shown.stopped(NUMBER, instance=second)

    assert shown.taken(NUMBER, instance=second) == 1.0
    assert times(captured) == [(1.0, 2)]


def test_typing_of_which_nobody_tells_is_forgotten(
    captured: Captured, shown: Typing, clock: ScriptedClock
) -> None:
    """Nothing is left of people whose typing was told."""
    for instance in ("one", "two"):
        shown.shown(NUMBER, 1.0, instance=instance)
    clock.advance(1.0)
    shown.stopped(NUMBER)
    told = shown.taken(NUMBER, instance="one"), shown.taken(NUMBER)

    assert (told, shown._lasting, shown._untold) == ((1.0, 1.0), {}, {})


@pytest.mark.parametrize(("asked", "seen"), [(30.0, 0.5), (0.2, 0.2)])
def test_typing_that_the_message_asks_for(
    captured: Captured, clock: ScriptedClock, asked: float, seen: float
) -> None:
    """What the channel was asked to show before a message lasts until the message is there."""
    turn = Turn("whatsapp", {}, clock=clock)
    turn.hold(carried=True)
    open_turns.add(turn, "3EB0", NUMBER)
    send = Send(Message(recipient=NUMBER, typing_time=asked), clock=clock)
    clock.advance(0.5)
    send.accepted()
    turn.release()
    told = [
        (captured.span(name).attributes or {})[TIME]
        for name in ("send whatsapp", "process whatsapp")
    ]

    assert told == [seen, seen]
