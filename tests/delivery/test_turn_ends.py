"""When a turn is over: with the last who holds it, or when nobody comes any more."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

import otel_stream
from otel_stream.delivery.hold import Hold
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import Turn
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from tests.conftest import eventually
from tests.delivery.turns import length_of, within


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


def test_waits_for_nothing_after_a_failure(
    turn: Turn, captured: Captured, clock: ScriptedClock
) -> None:
    """Where the program's handling failed before anything began, a second is enough."""
    turn.hold()
    turn.failed("ValueError")
    turn.release()
    watcher.look(clock.advance(1.1))

    assert length_of(captured) == 0.0


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


def test_a_message_holds_it(
    turn: Turn, captured: Captured, clock: ScriptedClock, send: Any
) -> None:
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


def test_goes_on_after_uninstrument(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A turn and a send that are open when all is taken back are exported with what waits."""
    monkeypatch.chdir(tmp_path)
    otel_stream.instrument(only=["openai"])
    turn = Turn("whatsapp", {})
    turn.hold(carried=True)
    message: Send = within(turn, lambda: Send(Message()))
    otel_stream.uninstrument()
    message.accepted()
    turn.release()
    written = tmp_path / "otel-stream-data" / "traces.jsonl"

    assert eventually(lambda: written.exists() and written.read_text().count(" whatsapp") == 2)


def test_who_comes_too_late(turn: Turn, captured: Captured, clock: ScriptedClock) -> None:
    """Work that comes after the second of grace finds it over, whoever has looked until then."""
    turn.hold(works=True)
    turn.release()
    clock.advance(1.1)
    turn.hold(works=True)
    clock.advance(5.0)
    turn.release()

    assert length_of(captured) == 0.0
