"""The figures of a turn are about what its person has got, and about nothing else that was sent."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from otel_stream.channel import ChannelError, stream_to_channel
from otel_stream.delivery.turn import Turn
from otel_stream.delivery.typing import typing
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from tests.channel.fakes import FakeChannel, FakeStream
from tests.channel.virtual import now, run
from tests.delivery.bodies import NUMBER
from tests.delivery.turns import within

ADMIN = "5521888880000"
FIRST = "otel_stream.delivery.time_to_first_message"
PART = "otel_stream.delivery.part"


@pytest.fixture
def asked(turn: Turn) -> Turn:
    """A turn of the person."""
    turn.people.add(f"{NUMBER}@s.whatsapp.net")
    return turn


def figures(captured: Captured) -> dict[str, Any]:
    """What the only turn says, without the prefix."""
    attributes = captured.span("process whatsapp").attributes or {}
    prefix = "otel_stream.delivery."
    return {
        name.removeprefix(prefix): value
        for name, value in attributes.items()
        if name.startswith(prefix)
    }


def parts(captured: Captured) -> list[Any]:
    """Which part each message was."""
    return [(span.attributes or {}).get(PART) for span in captured.spans("send whatsapp")]


@pytest.mark.parametrize("aside", [{"recipient": ADMIN}, {"kind": "reaction"}, {"kind": "status"}])
def test_what_is_no_part_of_the_answer(
    asked: Turn, captured: Captured, clock: ScriptedClock, send: Any, aside: dict[str, Any]
) -> None:
    """A message to somebody else, a reaction and a status are in the trace, and in no figure."""
    asked.hold(carried=True)
    for message, wait in ((aside, 0.1), ({}, 0.5), (aside, 1.0)):
        clock.advance(wait)
        within(asked, lambda message=message: send(**message)).accepted()
    asked.release()
    (point,) = captured.metrics()[FIRST]
    spans = captured.spans("send whatsapp")

    assert figures(captured) == {
        "time_to_first_message": pytest.approx(0.6),
        "time_to_last_message": pytest.approx(0.6),
        "messages": 1,
        "failed": 0,
        "share": 1.0,
    }
    assert (point.count, point.sum) == (1, pytest.approx(0.6))
    assert parts(captured) == [None, 1, None]
    assert all(span.parent == asked.span.get_span_context() for span in spans)


def test_what_is_lost_for_somebody_else(asked: Turn, captured: Captured, send: Any) -> None:
    """A message to somebody else that is lost is no error of the turn."""
    asked.hold(carried=True, works=True)
    within(asked, lambda: send(recipient=ADMIN)).failed(status=500)
    asked.release()

    assert captured.span("process whatsapp").status.status_code is StatusCode.UNSET
    assert figures(captured) == {"messages": 0, "failed": 0}


def test_what_is_no_part_begins_no_answer(
    asked: Turn, captured: Captured, clock: ScriptedClock, send: Any
) -> None:
    """A message that waits in a queue waits also after a reaction, or a word to somebody else."""
    within(asked, lambda: send(recipient=ADMIN)).accepted()
    counted = asked.waited(100.0, clock.advance(2.0))
    asked.drop(Outcome.ABANDONED)

    assert (counted, figures(captured)["queue_wait"]) == (True, 2.0)


@pytest.fixture
def shown(clock: ScriptedClock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Shows typing, by the scripted clock."""
    monkeypatch.setattr(typing, "_clock", clock)
    return typing.shown


def test_typing_for_somebody_else(
    asked: Turn, captured: Captured, clock: ScriptedClock, send: Any, shown: Any
) -> None:
    """What somebody else has seen of typing the person has not seen."""
    asked.hold(carried=True)
    for recipient, seconds in ((ADMIN, 3.0), (NUMBER, 1.0)):
        shown(recipient, 10.0)
        clock.advance(seconds)
        within(asked, lambda recipient=recipient: send(recipient=recipient)).accepted()
    asked.release()

    assert figures(captured)["typing_time"] == 1.0


def test_a_reaction_amid_typing(
    asked: Turn, captured: Captured, clock: ScriptedClock, send: Any, shown: Any
) -> None:
    """A reaction takes no place in the chat: typing goes on to the message that does."""
    asked.hold(carried=True)
    shown(NUMBER, 10.0)
    for kind in ("reaction", "text"):
        clock.advance(1.0)
        within(asked, lambda kind=kind: send(kind=kind)).accepted()
    asked.release()

    assert figures(captured)["typing_time"] == 2.0
    assert len(captured.spans("type whatsapp")) == 1


@pytest.mark.parametrize(("recipient", "left"), [(ADMIN, None), (NUMBER, 4)])
def test_what_is_left_out(
    asked: Turn, captured: Captured, recipient: str, left: int | None
) -> None:
    """Of an answer that is given up counts what the person has not got."""

    async def answer() -> None:
        channel = FakeChannel([ChannelError("no", code="gone")])
        await stream_to_channel(FakeStream(["One."]), channel, recipient, typing=False, clock=now)

    within(asked, lambda: run(answer()))
    asked.drop(Outcome.ABANDONED)

    assert figures(captured).get("lost") == left


# --- what a program tries again ----------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_tried_again(asked: Turn, captured: Captured, send: Any, status: int) -> None:
    """What is sent again after a refusal is the same message, and its requests add up."""
    asked.hold(carried=True)
    for _ in range(2):
        within(asked, send).failed(status=status)
    within(asked, send).accepted()
    asked.release()
    found = figures(captured)
    attempts = [
        (span.attributes or {})["otel_stream.delivery.attempts"]
        for span in captured.spans("send whatsapp")
    ]

    assert (found["messages"], found["failed"], found["share"]) == (1, 0, 1.0)
    assert (parts(captured), attempts) == ([1, 1, 1], [1, 2, 3])


@pytest.mark.parametrize(
    ("failure", "again"),
    [
        ({"error": TimeoutError()}, {}),
        ({"status": 500}, {}),
        ({"status": 504}, {}),
        ({"status": 200, "code": "no_key"}, {}),
        ({"status": 503}, {"text": "Something else"}),
        ({"status": 503}, {"kind": "media"}),
        ({"status": 503}, {"text": None}),
    ],
)
def test_what_may_be_another_message(
    asked: Turn, captured: Captured, send: Any, failure: dict[str, Any], again: dict[str, Any]
) -> None:
    """Where it may have arrived, or says something else, the next one is a message of its own."""
    asked.hold(carried=True)
    within(asked, send).failed(**failure)
    within(asked, lambda: send(**again)).accepted()
    asked.release()

    assert (figures(captured)["share"], parts(captured)) == (0.5, [1, 2])


def test_the_same_words_twice(asked: Turn, captured: Captured, send: Any) -> None:
    """What was accepted and is said again is another message."""
    asked.hold(carried=True)
    within(asked, send).failed(status=503)
    for _ in range(2):
        within(asked, send).accepted()
    asked.release()

    assert (figures(captured)["messages"], parts(captured)) == (2, [1, 1, 2])


def test_what_is_refused_is_kept_in_bounds(asked: Turn, send: Any) -> None:
    """Of an answer without an end a hundred refused messages are remembered."""
    for number in range(200):
        within(asked, lambda number=number: send(text=f"Part {number}")).failed(status=503)
    asked.drop(Outcome.ABANDONED)

    assert (asked.perceived.messages, len(asked.perceived._refused)) == (200, 100)
