"""A run that waits for a tool of its own is not stalled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context

from otel_stream.record.recorder import Recorder
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from otel_stream_agno.at_work import AtWork

from .brain import Brain
from .cast import MODES, Cast, consume

pytestmark = pytest.mark.sdk_matrix

STREAMS = ["streamed", "events"]


def look_later() -> None:
    """Look at all open streams as if a minute had gone by."""
    for recorder in watcher.open:
        recorder.check(recorder.clock() + 60.0)


def slow() -> str:
    """Takes long."""
    look_later()
    return "done"


def slow_steps() -> Iterator[str]:
    """Takes long, in steps."""
    yield "one"
    look_later()
    yield "two"


async def slow_async() -> str:
    """Takes long, in async code."""
    look_later()
    return "done"


@pytest.mark.parametrize("mode", STREAMS)
@pytest.mark.parametrize(
    ("tool", "method"),
    [(slow, "run"), (slow, "arun"), (slow_steps, "run"), (slow_async, "arun")],
)
async def test_a_slow_tool_is_no_stall(
    captured: Captured, cast: Cast, brain: Brain, tool: Callable[..., Any], method: str, mode: str
) -> None:
    """However long a tool takes, with or without events."""
    brain.wants = {tool.__name__: {}}
    await consume(cast.agent(tools=[tool], asynchronous=method == "arun"), method, MODES[mode])

    run = captured.span("invoke_agent Poet").attributes or {}
    assert run["otel_stream.stall.count"] == 0


def test_tools_at_once(make: Callable[..., Recorder], clock: ScriptedClock) -> None:
    """The last of them to end ends it, and only from then on somebody else is waited for."""
    recorder = make()
    tools = AtWork(recorder)
    recorder.reading_since = clock.advance(0.1)
    tools.more()
    tools.more()
    tools.less()
    recorder.check(clock.advance(20.0))
    tools.less()
    recorder.check(clock.advance(9.0))
    before = recorder.stalls.count
    recorder.check(clock.advance(2.0))

    assert (before, recorder.stalls.count) == (0, 1)


def test_a_tool_is_of_the_run_that_calls_it(make: Callable[..., Recorder]) -> None:
    """A run inside a tool has tools of its own."""
    outer, inner = AtWork(make()), AtWork(make())
    context = outer.within(otel_context.get_current())

    assert AtWork.here() is None
    for found, current in ((outer, context), (inner, inner.within(context))):
        token = otel_context.attach(current)
        assert AtWork.here() is found
        otel_context.detach(token)
