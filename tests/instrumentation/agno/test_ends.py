"""How runs end: left, closed, dropped, cancelled, failed; whoever reads them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from inspect import signature
from typing import Any

import pytest
from agno.agent import Agent
from agno.exceptions import ModelProviderError
from opentelemetry.trace import StatusCode

from otel_stream.testing import (
    Captured,
    ProviderServer,
    Script,
    chat_text,
    openai_error,
)

from .brain import Brain
from .cast import MODES, TEAMS_CONTINUE, Cast, consume
from .trees import draw

pytestmark = pytest.mark.sdk_matrix

STREAMS = ["streamed", "events"]
TAKES_ID = "run_id" in signature(Agent.run).parameters


def outcome(captured: Captured, name: str = "invoke_agent Poet") -> Any:
    """How the only run with *name* ended."""
    return (captured.span(name).attributes or {})["otel_stream.outcome"]


@pytest.mark.parametrize("mode", STREAMS)
def test_a_loop_that_is_left_ends_the_run(captured: Captured, cast: Cast, mode: str) -> None:
    """A break in a run is told at once, and all beneath it ends too."""
    for _ in cast.agent().run("Hi", **MODES[mode]):
        break

    assert outcome(captured) == "closed_early"


@pytest.mark.parametrize("mode", STREAMS)
async def test_an_async_loop_that_is_left_ends_the_run(
    captured: Captured, cast: Cast, mode: str
) -> None:
    """So is one in async code, which need not be closed."""
    async for _ in cast.agent(asynchronous=True).arun("Hi", **MODES[mode]):
        break

    assert outcome(captured) == "closed_early"
    await asyncio.sleep(0)  # the event loop closes Agno's generator


@pytest.mark.parametrize("who", ["agent", "team"])
def test_a_loop_that_is_left_at_the_last_event_is_complete(
    captured: Captured, cast: Cast, who: str
) -> None:
    """The run's own last event ends it, not that of a member."""
    one = getattr(cast, who)()
    last = "TeamRunCompleted" if who == "team" else "RunCompleted"
    for event in one.run("Hi", **MODES["events"]):
        if event.event == last:
            break

    assert outcome(captured, f"invoke_agent {one.name}") == "completed"


def test_a_member_that_is_done_does_not_end_the_team(captured: Captured, cast: Cast) -> None:
    """Who leaves at a member's last event has left the team early."""
    for event in cast.team().run("Hi", **MODES["events"]):
        if event.event == "RunCompleted":
            break

    assert outcome(captured, "invoke_agent Editors") == "closed_early"
    assert outcome(captured) == "completed"


def test_an_exception_in_the_body_is_the_consumers(captured: Captured, cast: Cast) -> None:
    """What the reader raises is no failure of the run."""
    with pytest.raises(LookupError):
        for _ in cast.agent().run("Hi", **MODES["streamed"]):
            raise LookupError

    assert outcome(captured) == "closed_early"
    assert captured.span("invoke_agent Poet").status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("way", "ended"),
    [("close", "closed_early"), ("throw", "closed_early"), ("drop", "abandoned")],
)
def test_a_generator_is_closed_as_ever(
    captured: Captured, cast: Cast, way: str, ended: str
) -> None:
    """`close`, `throw` and dropping work as on Agno's generator, and end the run."""
    events = cast.agent().run("Hi", **MODES["streamed"])
    next(events)
    if way == "close":
        events.close()
    elif way == "throw":
        with contextlib.suppress(LookupError):  # Later versions catch it, and say so in an event.
            events.throw(LookupError())
    del events

    assert outcome(captured) == ended


def test_a_generator_is_read_as_ever(captured: Captured, cast: Cast) -> None:
    """`send(None)` is a read; it is a generator still for who asks."""
    events = cast.agent().run("Hi", **MODES["streamed"])
    first = events.send(None)
    rest = list(events)

    found = captured.span("invoke_agent Poet").attributes or {}
    assert first.event == "RunContent"
    assert found["otel_stream.chunk.count"] == 1 + len(rest)


async def test_aclose_from_another_task(captured: Captured, cast: Cast) -> None:
    """An async generator may be closed elsewhere than it was read."""
    events = cast.agent(asynchronous=True).arun("Hi", **MODES["streamed"])
    await asyncio.create_task(anext(events))  # type: ignore[call-overload]
    await asyncio.create_task(events.aclose())  # type: ignore[union-attr]

    assert outcome(captured) == "closed_early"


def test_a_run_that_nobody_reads_is_abandoned(captured: Captured, cast: Cast) -> None:
    """Made and dropped."""
    cast.agent().run("Hi", **MODES["streamed"])
    gc.collect()

    assert outcome(captured) == "abandoned"


async def test_a_coroutine_that_nobody_awaits_is_abandoned(captured: Captured, cast: Cast) -> None:
    """Python warns of it once, as it would without us, and its span ends."""
    waiting = cast.agent(asynchronous=True).arun("Hi", **MODES["whole"])
    name = waiting.__qualname__  # type: ignore[union-attr]
    with pytest.warns(RuntimeWarning, match=f"{name}' was never awaited") as warned:
        del waiting
        gc.collect()

    assert len(warned.list) == 1
    warned.list.clear()  # It holds the coroutine.
    captured.wait_for_spans()
    assert outcome(captured) == "abandoned"


async def test_a_task_that_is_cancelled_before_it_begins(captured: Captured, cast: Cast) -> None:
    """The coroutine is never entered, and its run has an outcome all the same."""
    waiting: Any = cast.agent(asynchronous=True).arun("Hi", **MODES["whole"])
    task = asyncio.ensure_future(waiting)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    del task, waiting
    await asyncio.sleep(0)  # The event loop lets the task go.
    gc.collect()
    captured.wait_for_spans()

    assert outcome(captured) in ("abandoned", "cancelled")


@pytest.mark.parametrize("mode", MODES)
async def test_a_task_that_is_cancelled(
    captured: Captured, cast: Cast, server: ProviderServer, mode: str
) -> None:
    """A run whose task is cancelled while the model is silent is cancelled, not failed."""
    server.handler = lambda request: Script.stream([], ending="hang")
    agent = cast.agent(asynchronous=True)
    task = asyncio.create_task(consume(agent, "arun", MODES[mode]))
    await asyncio.to_thread(server.wait_for_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert outcome(captured) == "cancelled"
    assert captured.span("invoke_agent Poet").status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(("method", "mode"), [(m, n) for m in ("run", "arun") for n in MODES])
async def test_a_model_that_fails_fails_the_run(
    captured: Captured, cast: Cast, server: ProviderServer, method: str, mode: str
) -> None:
    """An error event is an error though nothing is raised (from 2.5 on), as is what is raised."""
    server.handler = lambda request: Script.json(openai_error("no"), 400)
    agent = cast.agent(asynchronous=method == "arun")
    with contextlib.suppress(ModelProviderError):
        await consume(agent, method, MODES[mode])

    run = captured.span("invoke_agent Poet")
    assert outcome(captured) == "error"
    assert run.status.status_code is StatusCode.ERROR
    assert (run.attributes or {})["error.type"]
    assert captured.span("chat gpt-5-mini").status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("mode", STREAMS)
async def test_a_model_that_fails_midway_fails_the_run(
    captured: Captured, cast: Cast, server: ProviderServer, mode: str
) -> None:
    """What had come is counted, and the run has failed."""
    answer = chat_text(["Hel"], finish=None, done=False)
    server.handler = lambda request: Script.stream(answer, ending="reset")
    with contextlib.suppress(ModelProviderError):
        await consume(cast.agent(), "run", MODES[mode])

    found = captured.span("invoke_agent Poet").attributes or {}
    assert (found["otel_stream.outcome"], found["otel_stream.content.size"]) == ("error", 3)


@pytest.mark.parametrize("mode", STREAMS)
def test_a_run_that_is_cancelled_by_its_id(captured: Captured, cast: Cast, mode: str) -> None:
    """`cancel_run` ends it as cancelled, with or without events."""
    agent = cast.agent()
    for event in agent.run("Hi", **MODES[mode]):
        agent.cancel_run(event.run_id)

    assert outcome(captured) == "cancelled"
    assert captured.span("invoke_agent Poet").status.status_code is StatusCode.UNSET


def test_a_run_that_is_not_streamed_may_be_cancelled(
    captured: Captured, cast: Cast, brain: Brain
) -> None:
    """The output says so, and so does the span."""

    def give_up(agent: Agent) -> str:
        """Gives up."""
        agent.cancel_run(_ids(captured)[0])
        return "bye"

    brain.wants = {"give_up": {}}
    if not TAKES_ID:
        pytest.skip("this version tells no tool the id of its run before the run is over")
    output = cast.agent(tools=[give_up]).run("Hi", stream=False, run_id="r-1")

    assert output.status.value == "CANCELLED"
    assert outcome(captured) == "cancelled"


def _ids(captured: Captured) -> list[str]:
    return [
        str((span.attributes or {})["otel_stream.run.id"])
        for span in captured.open_spans()
        if span.name == "invoke_agent Poet"
    ]


@pytest.mark.skipif(not TEAMS_CONTINUE, reason="this version cannot continue teams")
async def test_a_team_goes_on(captured: Captured, cast: Cast) -> None:
    """A team that is done may be continued with more input: another run."""
    team = cast.team()
    output = team.run("Hi", stream=False)
    captured.clear()
    await consume(team, "continue_run", MODES["events"], output)

    assert draw(captured).startswith("\ninvoke_agent Editors ")
