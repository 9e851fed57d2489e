"""A run that waits for a tool of its own is not stalled: the stream tells of tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.record.recorder import Recorder
from otel_stream.testing import Captured, ScriptedClock
from otel_stream_agno.runs import Run
from otel_stream_agno_http.event import WireEvent

from .streams import Event, agent, member, team

pytestmark = pytest.mark.sdk_matrix

Play = Callable[..., Run]


@pytest.fixture
def later(clock: ScriptedClock) -> Callable[[Recorder, Event, float], None]:
    """Feeds an event that has been waited for so long."""

    def feed(recorder: Recorder, event: Event, wait: float) -> None:
        started = recorder.reading_since = clock()
        recorder.check(clock.advance(wait))
        known = {name: event[name] for name in event if name in WireEvent.__struct_fields__}
        recorder.feed(WireEvent(**known), started, clock())

    return feed


def stalls(captured: Captured, name: str) -> Any:
    return (captured.span(name).attributes or {})["otel_stream.stall.count"]


def test_a_slow_tool_is_no_stall(run: Play, captured: Captured, later: Callable[..., None]) -> None:
    """Nor is the slower one of two; what is silent when both have ended is."""
    begun = [agent.tool("Started", "1"), agent.tool("Started", "2")]
    recorder = run([agent.start(), *agent.says("a"), *begun], finish=False).recorder
    later(recorder, agent.tool("Completed", "1"), 20.0)
    later(recorder, agent.tool("Error", "2"), 20.0)
    before = recorder.stalls.count
    later(recorder, agent.end(), 20.0)
    recorder.finish(recorder.clock(), recorder.clock())

    assert (before, stalls(captured, "invoke_agent outer")) == (0, 1)


def test_a_tool_excuses_its_own_run(
    run: Play, captured: Captured, later: Callable[..., None]
) -> None:
    """While a member is waited for its team waits for the tool that delegated to it."""
    joker = member("joker")
    begun = [team.start(), team.tool("Started", "1", "delegate"), joker.start(), *joker.says("a")]
    recorder = run(begun, finish=False).recorder
    later(recorder, joker.says("b")[1], 20.0)
    later(recorder, joker.tool("Started", "2"), 0.1)
    later(recorder, joker.tool("Completed", "2"), 20.0)
    for event in (joker.end(), team.tool("Completed", "1", "delegate"), team.end()):
        later(recorder, event, 0.1)
    recorder.finish(recorder.clock(), recorder.clock())

    assert stalls(captured, "invoke_agent Joker") == 1
    assert stalls(captured, "invoke_agent outer") == 0
