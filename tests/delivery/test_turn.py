"""A turn: who holds it, when it is over, and what its span says then."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry.trace import StatusCode

from otel_stream.delivery.send import Send
from otel_stream.delivery.turn import Hold, Turn, turn_in
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher


def length_of(captured: Captured) -> float:
    """Seconds of the only turn."""
    span = captured.span("process whatsapp")
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


def within(turn: Turn, act: Callable[[], Any]) -> Any:
    """What *act* returns in the turn's context."""
    token = otel_context.attach(turn.context)
    try:
        return act()
    finally:
        otel_context.detach(token)


def test_says_it_all(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """The root span of a turn with two messages, one of them lost."""
    turn.hold(carried=True)
    clock.advance(0.25)
    turn.waited(100.0, clock())
    first = within(turn, send)
    clock.advance(0.5)
    first.accepted("ID1")
    second = within(turn, send)
    clock.advance(1.0)
    second.failed(code="gone")
    clock.advance(0.25)
    turn.release()
    span = captured.span("process whatsapp")

    assert dict(span.attributes or {}) == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "otel_stream.channel.message_type": "text",
        "otel_stream.delivery.queue_wait": 0.25,
        "otel_stream.delivery.time_to_first_message": 0.75,
        "otel_stream.delivery.time_to_last_message": 0.75,
        "otel_stream.delivery.messages": 2,
        "otel_stream.delivery.failed": 1,
        "otel_stream.delivery.share": 0.5,
    }
    assert (span.kind.name, span.parent, span.status.status_code) == (
        "CONSUMER",
        None,
        StatusCode.UNSET,
    )
    assert length_of(captured) == pytest.approx(2.0)


def test_metrics(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """The times to the first and the last message, and the wait, by channel."""
    turn.hold()
    turn.waited(100.0, clock.advance(0.25))
    for wait in (0.5, 1.0):
        clock.advance(wait)
        within(turn, send).accepted()
    turn.release()
    watcher.look(clock() + 1.0)
    found = {
        name: (points[0].sum, dict(points[0].attributes))
        for name, points in captured.metrics().items()
        if "time_to" in name or "queue" in name
    }
    system = {"messaging.system": "whatsapp"}

    assert found == {
        "otel_stream.delivery.time_to_first_message": (0.75, system),
        "otel_stream.delivery.time_to_last_message": (1.75, system),
        "otel_stream.delivery.queue_wait": (0.25, system),
    }


def test_ends_when_nobody_holds_it(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Taken along and worked on, it is over with the last who holds it."""
    turn.hold(carried=True)
    turn.hold(works=True)
    turn.release()
    open_yet = len(captured.open_spans())
    clock.advance(2.0)
    turn.release()

    assert open_yet == 1
    assert length_of(captured) == pytest.approx(2.0)


def test_waits_its_grace(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Handed over without a word it waits a second, and ends when it was let go."""
    turn.hold(works=True)
    turn.release()
    watcher.look(clock.advance(0.9))
    still = len(captured.spans())
    watcher.look(clock.advance(0.2))

    assert still == 0
    assert length_of(captured) == 0.0


def test_goes_on_within_its_grace(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Work that comes in that second is part of it."""
    turn.hold(works=True)
    turn.release()
    clock.advance(0.9)
    turn.hold(works=True)
    watcher.look(clock.advance(30.0))
    still = len(captured.spans())
    turn.release()
    watcher.look(clock.advance(1.1))

    assert still == 0
    assert length_of(captured) == pytest.approx(30.9)


def test_waits_for_its_beginning(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Before anything has begun it waits a minute."""
    clock.advance(0.5)
    turn.hold()
    turn.release()
    watcher.look(clock.advance(59.0))
    still = len(captured.spans())
    watcher.look(clock.advance(2.0))

    assert still == 0
    assert length_of(captured) == pytest.approx(0.5)


def test_taken_along_and_dropped(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """What was taken along and came to nothing waits for its beginning, too."""
    turn.hold(carried=True)
    turn.release()
    watcher.look(clock.advance(59.0))
    still = len(captured.spans())
    watcher.look(clock.advance(2.0))

    assert (still, len(captured.spans())) == (0, 1)


def test_forgotten_by_who_holds_it(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """One that is held and not touched for an hour is over, at the time of its last touch."""
    clock.advance(5.0)
    turn.hold(carried=True)
    watcher.look(clock.advance(3_599.0))
    still = len(captured.spans())
    watcher.look(clock.advance(2.0))

    assert still == 0
    assert length_of(captured) == pytest.approx(5.0)


def test_held_when_the_process_ends(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """An answer that the process does not live to finish has a root all the same."""
    turn.hold(works=True)
    clock.advance(3.0)
    watcher.end_all(Outcome.ABANDONED)

    assert length_of(captured) == pytest.approx(3.0)


def test_ends_once(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """However often it is let go, dropped and looked at."""
    turn.hold(carried=True, works=True)
    for _ in range(3):
        turn.release()
        turn.drop(Outcome.ABANDONED)
        turn.check(clock.advance(100.0))
        turn.give_up()

    assert len(captured.spans("process whatsapp")) == 1


def test_released_too_often(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Who lets go what they do not hold takes nothing from others."""
    turn.release()
    turn.hold(carried=True, works=True)
    turn.release()

    assert len(captured.spans("process whatsapp")) == 1


def test_late_messages(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """A message after the end is in the trace, numbered on, and the turn does not end again."""
    turn.hold(carried=True, works=True)
    turn.release()
    clock.advance(1.0)
    within(turn, send).accepted("ID1")
    message, root = captured.span("send whatsapp"), captured.span("process whatsapp")

    assert (message.attributes or {})["otel_stream.delivery.part"] == 1
    assert message.parent == root.context
    assert captured.point("otel_stream.delivery.time_to_first_message").sum == 1.0


def test_all_lost(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """A person who got nothing is an error."""
    turn.hold(carried=True)
    for code in ("gone", "busy"):
        within(turn, send).failed(code=code)
    turn.release()
    span = captured.span("process whatsapp")
    attributes = span.attributes or {}

    assert (span.status.status_code, attributes["error.type"]) == (StatusCode.ERROR, "gone")
    assert attributes["otel_stream.delivery.share"] == 0.0
    assert "otel_stream.delivery.time_to_first_message" not in attributes


def test_not_handled(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """A program that fails in handling a message is an error, whatever was sent."""
    turn.hold(carried=True)
    within(turn, send).accepted()
    turn.failed("builtins.ValueError")
    turn.release()
    span = captured.span("process whatsapp")

    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "builtins.ValueError"


def test_no_message(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """A turn without an answer has no share, and is no error."""
    turn.hold(carried=True, works=True)
    turn.release()
    attributes = captured.span("process whatsapp").attributes or {}

    assert attributes["otel_stream.delivery.messages"] == 0
    assert "otel_stream.delivery.share" not in attributes


def test_waits_count_once(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Two queues at once are one wait, two after each other two; none counts once work begins."""
    clock.advance(10.0)
    counted = [turn.waited(100.0, 101.0), turn.waited(100.0, 102.0), turn.waited(103.0, 104.0)]
    turn.hold(works=True)
    counted.append(turn.waited(105.0, 110.0))
    waited = turn.queue_wait
    turn.drop(Outcome.ABANDONED)

    assert (counted, waited) == ([True, True, True, False], 3.0)


def test_is_found_in_its_context(turn: Turn, clock: ScriptedClock) -> None:
    """In its own context, and in no other."""
    found = turn_in(turn.context), turn_in()
    turn.drop(Outcome.ABANDONED)

    assert found == (turn, None)


def test_a_hold_is_let_go_once(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """By whoever has it, and not again when it is dropped."""
    held = Hold(turn, carried=True, works=True)
    other = Hold(turn)
    held.release()
    held.release()
    del held
    still = len(captured.spans())
    del other

    assert (still, len(captured.spans())) == (0, 1)


def test_a_hold_that_the_collector_drops(
    turn: Turn, captured: Captured, clock: ScriptedClock
) -> None:
    """It is let go on another thread: the collector may run while this one holds a lock."""
    cycle: list[Any] = [Hold(turn, carried=True, works=True)]
    cycle.append(cycle)
    with turn._lock:
        del cycle
        gc.collect()

    assert captured.wait_for_spans(1)[0].name == "process whatsapp"


def test_many_hands(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """Threads that hold, send and let go lose no message, and it ends once."""

    def work() -> None:
        for _ in range(50):
            turn.hold(works=True)
            within(turn, send).accepted()
            turn.release()

    turn.hold(carried=True)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    turn.release()
    attributes = captured.span("process whatsapp").attributes or {}
    parts = {(span.attributes or {})["otel_stream.delivery.part"]
             for span in captured.spans("send whatsapp")}  # fmt: skip

    assert attributes["otel_stream.delivery.share"] == 1.0
    assert parts == set(range(1, 401))


def test_a_message_holds_it(turn: Turn, captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """While a message is being sent the turn is not over."""
    turn.hold(carried=True)
    message: Send = within(turn, send)
    turn.release()
    still = len(captured.spans())
    message.accepted()

    assert (still, [span.name for span in captured.spans()]) == (
        0,
        ["send whatsapp", "process whatsapp"],
    )
