"""Stalls: waits for the provider above a threshold, told while they last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_stream import semconv
from otel_stream.delta import Reasoning, Refusal, Response, Skip, ToolCall
from otel_stream.testing import ScriptedClock

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("before", "threshold"),
    [
        ([], 10.0),
        (["tea"], 2.0),
        ([Reasoning("hm")], 15.0),
        ([Reasoning("")], 15.0),
        ([Reasoning("hm"), "tea"], 2.0),
        (["tea", Reasoning("hm")], 15.0),
        ([ToolCall(0, "f")], 2.0),
        ([Refusal("no")], 2.0),
        ([None, Response("id")], 10.0),
    ],
)
def test_thresholds(before: list[Any], threshold: float, make: Make, drive: Make) -> None:
    """10 s before the first token, 15 s while the model reasons, else 2 s."""
    recorder = make()
    for chunk in before:
        drive(recorder).chunk(chunk)
    drive(recorder).chunk("x", wait=threshold - 0.01)
    counted = recorder.stalls.count
    recorder = make()
    for chunk in before:
        drive(recorder).chunk(chunk)
    drive(recorder).chunk("x", wait=threshold + 0.01)

    assert (counted, recorder.stalls.count) == (0, 1)


def test_while_it_lasts(make: Make, drive: Make, clock: ScriptedClock, heard: Any) -> None:
    """A stall is told when the threshold passes, once, while the read goes on."""
    recorder = make()
    drive(recorder).chunk("a")
    clock.advance(1.0)
    since = drive(recorder).begin()

    assert recorder.check(since + 1.99) == since + 2.0
    assert recorder.stalls.count == 0
    assert [recorder.check(since + late) for late in (2.0, 3.0)] == [since + 4.0, since + 5.0]
    assert heard.told == [("first_token",), ("stalled", since)]


@pytest.mark.parametrize("noted", [True, False])
def test_whole_duration(noted: bool, make: Make, drive: Make, clock: ScriptedClock) -> None:
    """A stall's duration is its whole wait, and its event stands at its start."""
    recorder = make()
    drive(recorder).chunk("a", body=1.0)
    since = drive(recorder).begin()
    if noted:
        recorder.check(since + 2.5)
    recorder.feed("b", since, clock.advance(4.0))
    stall = next(m for m in recorder.moments.in_order() if m[0] == semconv.EVENT_STALL)

    assert (recorder.stalls.count, recorder.stalls.time) == (1, 4.0)
    assert stall[1:] == (since, {semconv.CHUNK_INDEX: 2, semconv.GAP: 4.0})


def test_at_the_end(make: Make, drive: Make) -> None:
    """A silence before the end of the body is a stall too."""
    recorder = make()
    drive(recorder).chunk("a")
    drive(recorder).finish(wait=3.0)

    assert (recorder.stalls.count, recorder.stalls.time) == (1, 3.0)


def test_slow_consumer(make: Make, drive: Make, clock: ScriptedClock) -> None:
    """A body of a minute between two reads is no stall."""
    recorder = make()
    drive(recorder).chunk("a", body=60.0)
    recorder.check(clock())
    drive(recorder).chunk("b", wait=0.1)

    assert recorder.stalls.count == 0


def test_two_stalls(make: Make, drive: Make) -> None:
    """Each silence counts by itself."""
    recorder = make()
    for wait in (0.1, 3.0, 0.1, 5.0):
        drive(recorder).chunk("a", wait=wait)

    assert (recorder.stalls.count, recorder.stalls.time) == (2, 8.0)


def test_pings_do_not_end_it(make: Make, drive: Make, heard: Any) -> None:
    """One silence with pings in it is one stall, of its whole length."""
    recorder = make()
    drive(recorder).chunk("a")
    drive(recorder).chunk(Skip(), wait=3.0)
    drive(recorder).chunk(Skip(), wait=recorder.take_carried() + 1.0)
    drive(recorder).chunk("b", wait=recorder.take_carried() + 2.0)

    assert (recorder.stalls.count, recorder.stalls.time) == (1, 6.0)
    assert [told[0] for told in heard.told].count("stalled") == 1


@pytest.mark.parametrize(("wait", "counted"), [(21.9, (0, 0.0)), (23.0, (1, 3.0))])
def test_work_of_its_own(
    wait: float, counted: tuple[int, float], make: Make, drive: Make, clock: ScriptedClock
) -> None:
    """Of a read in which a run has worked itself only what came after that counts."""
    recorder = make()
    drive(recorder).chunk("a")
    recorder.stalls.working_until = clock() + 20.0
    drive(recorder).chunk("b", wait=wait)

    assert (recorder.stalls.count, recorder.stalls.time) == counted
