"""Where the run's span is current: while its next event is made, and nowhere else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN

import otel_stream
from otel_stream.lag import FirstText
from otel_stream.testing import Captured
from otel_stream_agno import AgnoInstrumentor

from .brain import Brain
from .cast import MODES, Cast, consume, weather
from .trees import draw

pytestmark = pytest.mark.sdk_matrix

BOTH = """
invoke_agent Poet completed
  chat gpt-5-mini 9+5
  execute_tool weather
  chat gpt-5-mini 9+5
invoke_agent Critic completed
  chat gpt-5-mini 9+5
  execute_tool weather
  chat gpt-5-mini 9+5
"""


@pytest.mark.parametrize("mode", ["streamed", "events"])
async def test_never_in_the_consumers_body(captured: Captured, cast: Cast, mode: str) -> None:
    """What the consumer does with an event is no part of the run."""
    current = []
    for _ in cast.team().run("Hi", **MODES[mode]):
        current.append(trace.get_current_span())
    async for _ in cast.team(asynchronous=True).arun("Hi", **MODES[mode]):
        current.append(trace.get_current_span())

    assert set(current) == {INVALID_SPAN}


def test_runs_that_are_read_in_turn_keep_their_parents(captured: Captured, cast: Cast) -> None:
    """Two runs of one thread, an event of each in turn: each has its own children (peers 29)."""
    runs = [cast.agent(name, tools=[weather]) for name in ("Poet", "Critic")]
    streams = [one.run("Hi", **MODES["events"]) for one in runs]
    for pair in zip(*streams, strict=True):
        assert len(pair) == 2

    assert draw(captured) == BOTH


async def test_async_runs_that_are_read_in_turn(captured: Captured, cast: Cast) -> None:
    """Two runs of one task, an event of each in turn."""
    runs = [cast.agent(name, tools=[weather], asynchronous=True) for name in ("Poet", "Critic")]
    streams: Any = [one.arun("Hi", **MODES["events"]) for one in runs]
    while await asyncio.gather(*(anext(one, None) for one in streams)) != [None, None]:
        assert trace.get_current_span() is INVALID_SPAN

    assert draw(captured) == BOTH


async def test_runs_of_tasks_side_by_side(captured: Captured, cast: Cast) -> None:
    """Runs of tasks at once have their own children."""
    agents = [cast.agent(name, tools=[weather], asynchronous=True) for name in ("Poet", "Critic")]
    await asyncio.gather(*(consume(one, "arun", MODES["whole"]) for one in agents))

    for name in ("Poet", "Critic"):
        run = captured.span(f"invoke_agent {name}").context
        assert run is not None
        below = [
            one.name for one in captured.spans() if one.parent and one.parent.span_id == run.span_id
        ]
        assert sorted(below) == ["chat gpt-5-mini", "chat gpt-5-mini", "execute_tool weather"]


def test_a_run_is_read_in_another_thread(captured: Captured, cast: Cast) -> None:
    """It belongs to where it was made: a child of the span that was current there."""
    tracer = captured.tracer_provider.get_tracer("app")
    with tracer.start_as_current_span("webhook"):
        events = cast.agent(tools=[weather]).run("Hi", **MODES["events"])
    reader = threading.Thread(target=list, args=(events,))
    reader.start()
    reader.join()

    assert draw(captured) == (
        "\nwebhook\n  invoke_agent Poet completed\n    chat gpt-5-mini 9+5\n"
        "    execute_tool weather\n    chat gpt-5-mini 9+5\n"
    )


async def test_a_run_is_read_in_another_task(captured: Captured, cast: Cast) -> None:
    """Each event in a task of its own."""
    agent = cast.agent(tools=[weather], asynchronous=True)
    events: Any = agent.arun("Hi", **MODES["events"])
    while await asyncio.create_task(_next(events)) is not None:
        pass

    assert draw(captured).splitlines()[1:] == BOTH.splitlines()[1:5]


async def _next(events: Any) -> Any:
    return await anext(events, None)


async def test_what_is_left_attached_stays_with_the_run(captured: Captured, cast: Cast) -> None:
    """A context that something attaches in one step and never detaches does not get out."""
    key = otel_context.create_key("left")

    def careless() -> str:
        """Attaches and forgets."""
        otel_context.attach(otel_context.set_value(key, "here"))
        return "done"

    async for _ in cast.agent(tools=[careless], asynchronous=True).arun("Hi", **MODES["events"]):
        assert otel_context.get_value(key) is None


def test_suppressed_runs_have_no_spans(captured: Captured, cast: Cast) -> None:
    """In a block that is not to be traced neither runs nor tools are."""
    with otel_stream.suppress():
        cast.agent(tools=[weather]).run("Hi", stream=False)

    assert captured.spans() == []


def test_attributes_of_the_application_are_on_runs_and_tools(
    captured: Captured, cast: Cast
) -> None:
    """`otel_stream.attributes` reaches all that is inside."""
    with otel_stream.attributes(tenant="blue"):
        cast.agent(tools=[weather]).run("Hi", stream=False)

    assert [(span.attributes or {}).get("tenant") for span in captured.spans()] == ["blue"] * 4


def test_all_is_put_back(captured: Captured) -> None:
    """Uninstrumenting leaves Agno exactly as it was; nothing that is wanted was missing."""
    from agno.agent import Agent
    from agno.team import Team
    from agno.tools.function import FunctionCall

    instrumentor = AgnoInstrumentor()
    assert instrumentor.missing() == []
    before = [{**vars(one)} for one in (Agent, Team, FunctionCall)]
    instrumentor.uninstrument()
    bare = [{**vars(one)} for one in (Agent, Team, FunctionCall)]
    instrumentor.instrument()
    instrumentor.uninstrument()
    after = [{**vars(one)} for one in (Agent, Team, FunctionCall)]

    assert before != bare
    assert after == bare


@pytest.mark.parametrize(("method", "mode"), [("run", "events"), ("arun", "streamed")])
async def test_what_a_tool_reads_is_no_text_of_the_run(
    captured: Captured, cast: Cast, brain: Brain, method: str, mode: str
) -> None:
    """An agent that a tool asks over HTTP writes first: nobody is late for that."""
    wanted = []

    def ask() -> str:
        """Asks."""
        wanted.append(FirstText.wanted())
        return "done"

    brain.wants = {"ask": {}}
    token = otel_context.attach(FirstText().within(otel_context.get_current()))
    agent = cast.agent(tools=[ask], asynchronous=method == "arun")
    await consume(agent, method, MODES[mode])
    otel_context.detach(token)

    assert wanted == [None]
