"""Tools: a span by call id where Agno executes them, with their true success."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from agno.exceptions import StopAgentRun
from agno.tools import tool
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_stream.testing import Captured

from .brain import Brain
from .cast import MODES, Cast, consume, weather
from .trees import draw

pytestmark = pytest.mark.sdk_matrix

WAYS = [(method, mode) for method in ("run", "arun") for mode in MODES]


@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_a_tool_that_fails_is_an_error_and_the_run_is_not(
    captured: Captured, cast: Cast, brain: Brain, method: str, mode: str
) -> None:
    """Agno tells the model of what a tool has raised, and goes on."""

    def broken() -> str:
        """Breaks."""
        raise ValueError("the secret is 42")

    brain.wants = {"broken": {}}
    await consume(cast.agent(tools=[broken], asynchronous=method == "arun"), method, MODES[mode])

    span = captured.span("execute_tool broken")
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "broken",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_0",
        "error.type": "ToolCallError",
    }
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    run = captured.span("invoke_agent Poet")
    assert run.status.status_code is StatusCode.UNSET


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: text.replace("42", "***"))
async def test_what_a_tool_says_of_its_failure_is_redacted(
    captured: Captured, cast: Cast, brain: Brain
) -> None:
    """It may repeat the arguments, and is told as they are."""

    def broken() -> str:
        """Breaks."""
        raise ValueError("the secret is 42")

    brain.wants = {"broken": {}}
    await consume(cast.agent(tools=[broken]), "run", MODES["streamed"])

    assert "the secret is ***" in str(captured.span("execute_tool broken").status.description)


@pytest.mark.parametrize("method", ["run", "arun"])
async def test_a_tool_that_stops_the_run_says_with_what(
    captured: Captured, cast: Cast, brain: Brain, method: str
) -> None:
    """An exception that Agno itself lets through is named by its class."""

    def stop() -> str:
        """Stops."""
        raise StopAgentRun("enough")

    brain.wants = {"stop": {}}
    agent = cast.agent(tools=[stop], asynchronous=method == "arun")
    with contextlib.suppress(UnboundLocalError):  # 2.0 stumbles over it in async code.
        await consume(agent, method, MODES["events"])

    found = captured.span("execute_tool stop").attributes or {}
    assert found["error.type"] == "agno.exceptions.StopAgentRun"


@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_a_tool_that_is_a_generator_works_while_it_is_read(
    captured: Captured, cast: Cast, brain: Brain, method: str, mode: str
) -> None:
    """Its span is current in each of its steps and lasts until its last one."""
    current: list[trace.Span] = []

    def steps() -> Iterator[str]:
        """Steps."""
        for step in ("one", "two"):
            current.append(trace.get_current_span())
            yield step

    brain.wants = {"steps": {}}
    await consume(cast.agent(tools=[steps], asynchronous=method == "arun"), method, MODES[mode])

    span = captured.span("execute_tool steps")
    assert [one.get_span_context() for one in current] == [span.context] * 2


@pytest.mark.parametrize("mode", MODES)
async def test_an_async_generator_is_a_tool_too(
    captured: Captured, cast: Cast, brain: Brain, mode: str
) -> None:
    """Agno reads it in a task of its own."""
    current: list[trace.Span] = []

    async def steps() -> AsyncIterator[str]:
        """Steps."""
        for step in ("one", "two"):
            await asyncio.sleep(0)
            current.append(trace.get_current_span())
            yield step

    brain.wants = {"steps": {}}
    await consume(cast.agent(tools=[steps], asynchronous=True), "arun", MODES[mode])

    span = captured.span("execute_tool steps")
    assert [one.get_span_context() for one in current] == [span.context] * 2


async def test_a_generator_that_fails_is_an_error(
    captured: Captured, cast: Cast, brain: Brain
) -> None:
    """What a tool raises while it is read is its failure."""

    def steps() -> Iterator[str]:
        """Steps."""
        yield "one"
        raise KeyError("two")

    brain.wants = {"steps": {}}
    try:
        await consume(cast.agent(tools=[steps]), "run", MODES["events"])
    except KeyError:
        pass  # 2.0 lets it through

    assert (captured.span("execute_tool steps").attributes or {})["error.type"] == "KeyError"


async def test_a_tool_works_in_its_span(captured: Captured, cast: Cast, brain: Brain) -> None:
    """What a tool does, in threads and tasks of Agno's too, belongs to its span."""
    tracer = captured.tracer_provider.get_tracer("tool")
    threads = []

    def slow() -> str:
        """Works in a thread."""
        threads.append(threading.current_thread())
        tracer.start_span("request").end()
        return "done"

    async def quick() -> str:
        """Works in a task."""
        tracer.start_span("query").end()
        return "done"

    brain.wants = {"slow": {}, "quick": {}}
    await consume(cast.agent(tools=[slow, quick], asynchronous=True), "arun", MODES["streamed"])

    parents = {span.name: span.parent and span.parent.span_id for span in captured.spans()}
    for name, child in (("slow", "request"), ("quick", "query")):
        context = captured.span(f"execute_tool {name}").context
        assert context is not None
        assert parents[child] == context.span_id
    assert threads != [threading.main_thread()]


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: text.replace("Rio", "***"))
async def test_arguments_and_results_are_content(captured: Captured, cast: Cast) -> None:
    """With content capture they are kept, redacted as all content is."""
    await consume(cast.agent(tools=[weather]), "run", MODES["streamed"])

    found = captured.span("execute_tool weather").attributes or {}
    assert found["gen_ai.tool.call.arguments"] == '{"city":"***"}'
    assert found["gen_ai.tool.call.result"] == "sunny in ***"


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: "***")
async def test_a_tools_own_words_are_redacted(captured: Captured, cast: Cast, brain: Brain) -> None:
    """An argument may be called as a word of a message's form is; it is content all the same."""

    def find(type: str, role: str) -> str:
        """Finds."""
        return "found"

    brain.wants = {"find": {"type": "number", "role": "5511999998888"}}
    await consume(cast.agent(tools=[find]), "run", MODES["whole"])

    found = captured.span("execute_tool find").attributes or {}
    assert "5511999998888" not in found["gen_ai.tool.call.arguments"]


@pytest.mark.otel_stream(capture_content="span", content_limit=20)
async def test_content_of_tools_is_bounded(captured: Captured, cast: Cast, brain: Brain) -> None:
    """Arguments and result share one bound, and it is said that they were cut."""
    brain.wants = {"weather": {"city": "R" * 30}}
    await consume(cast.agent(tools=[weather]), "run", MODES["whole"])

    found = captured.span("execute_tool weather").attributes or {}
    kept = f"{found['gen_ai.tool.call.arguments']}{found['gen_ai.tool.call.result']}"
    assert kept.count("R") < 20
    assert found["otel_stream.content.truncated"] is True


@pytest.mark.otel_stream(capture_content="span")
async def test_the_result_of_delegating_is_what_the_member_says(
    captured: Captured, cast: Cast
) -> None:
    """A member's events go through the tool, and its words are the result."""
    await consume(cast.team(), "run", MODES["events"])

    found = captured.span("execute_tool delegate_task_to_member").attributes or {}
    assert found["gen_ai.tool.call.result"] == "Hello"


@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_a_tool_that_asks_first_pauses_the_run(
    captured: Captured, cast: Cast, brain: Brain, method: str, mode: str
) -> None:
    """A paused run is completed, with a mark; it goes on as a run of its own with the same id."""

    @tool(requires_confirmation=True)
    def publish() -> str:
        """Publishes."""
        return "out"

    brain.wants = {"publish": {}}
    agent = cast.agent(tools=[publish], asynchronous=method == "arun")
    await consume(agent, method, MODES[mode])

    assert draw(captured) == "\ninvoke_agent Poet completed\n  chat gpt-5-mini 9+5\n"
    run = captured.span("invoke_agent Poet")
    found = run.attributes or {}
    assert found["otel_stream.run.paused"] is True
    if mode != "whole":  # The call that waits is the run's first token, and told once.
        assert "otel_stream.time_to_first_tool_call" in found
        calls = [event for event in run.events if event.name == "otel_stream.tool_call"]
        assert [(event.attributes or {})["gen_ai.tool.name"] for event in calls] == ["publish"]

    [paused] = await consume(agent, method, MODES["whole"])
    for one in paused.tools:
        one.confirmed = True
    captured.clear()
    going_on = "acontinue_run" if method == "arun" else "continue_run"
    await consume(agent, going_on, MODES[mode], paused)

    assert draw(captured) == (
        "\ninvoke_agent Poet completed\n  execute_tool publish\n  chat gpt-5-mini 9+5\n"
    )
    found = captured.span("invoke_agent Poet").attributes or {}
    assert found["otel_stream.run.id"] == paused.run_id
    assert "otel_stream.run.paused" not in found
