"""A turn: what its span says of what the person lived through."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from otel_stream.delivery.turn import Turn, turn_in
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from tests.delivery.turns import length_of, within


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
