"""Runs of agents and teams: sync and async, streamed or not, with and without events."""

from __future__ import annotations

from typing import Any

import pytest

from otel_stream.redaction import hashed, one_number
from otel_stream.testing import Captured
from otel_stream_agno import AgnoInstrumentor

from .brain import Brain
from .cast import EVENTS, MODES, Cast, consume, weather
from .trees import draw

pytestmark = pytest.mark.sdk_matrix

WAYS = [(method, mode) for method in ("run", "arun") for mode in MODES]
AGENT = """
invoke_agent Poet completed
  chat gpt-5-mini 9+5
  execute_tool weather
  chat gpt-5-mini 9+5
"""
TEAM = """
invoke_agent Editors completed
  chat gpt-5-mini 9+5
  execute_tool delegate_task_to_member
    invoke_agent Poet completed
      chat gpt-5-mini 9+5
  chat gpt-5-mini 9+5
"""


@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_an_agent_and_what_it_does_are_one_tree(
    captured: Captured, cast: Cast, method: str, mode: str
) -> None:
    """The model's calls and the tools stand under the run, each once, whatever was asked for."""
    await consume(cast.agent(tools=[weather], asynchronous=method == "arun"), method, MODES[mode])

    assert draw(captured) == AGENT


@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_a_member_is_a_run_under_what_delegated_to_it(
    captured: Captured, cast: Cast, method: str, mode: str
) -> None:
    """A member's events are in the team's stream too, and make no second span."""
    await consume(cast.team(asynchronous=method == "arun"), method, MODES[mode])

    assert draw(captured) == TEAM


@pytest.mark.parametrize("mode", MODES)
async def test_parallel_members_have_a_tool_each(
    captured: Captured, cast: Cast, brain: Brain, mode: str
) -> None:
    """Members that a leader asks at once are each under the call that asked them."""
    brain.members = ["poet", "critic"]
    names = ("Poet", "Critic")
    members = [cast.agent(name, asynchronous=True) for name in names]
    await consume(cast.team(*members, asynchronous=True), "arun", MODES[mode])

    tools = captured.spans("execute_tool delegate_task_to_member")
    parents = {span.name: span.parent.span_id for span in captured.spans() if span.parent}
    assert {tool.context.span_id for tool in tools if tool.context} == {
        parents["invoke_agent Poet"],
        parents["invoke_agent Critic"],
    }


@pytest.mark.parametrize("who", ["agent", "team"])
@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_the_application_sees_no_difference(
    captured: Captured, cast: Cast, who: str, method: str, mode: str
) -> None:
    """The same kinds of events come in the same order, with the same content, as without us."""
    seen = []
    for traced in (True, False):
        if not traced:
            AgnoInstrumentor().uninstrument()
        one = getattr(cast, who)(asynchronous=method == "arun")
        events = await consume(one, method, MODES[mode])
        seen.append([(type(event), *_said(event)) for event in events])

    assert seen[0] == seen[1]


def _said(event: Any) -> list[str]:
    """What an event says, but for how long something took."""
    return str(getattr(event, "content", None)).split(" completed in ")[:1]


def test_a_run_says_who_runs(captured: Captured, cast: Cast) -> None:
    """A run has the names of the convention, and those of its stream; it never has usage."""
    events = list(cast.agent().run("Hi", session_id="talk-1", **MODES["events"]))

    found = dict(captured.span("invoke_agent Poet").attributes or {})
    times = {name: found.pop(name) for name in list(found) if isinstance(found[name], float)}
    assert found == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "agno",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.request.stream": True,
        "gen_ai.agent.name": "Poet",
        "gen_ai.agent.id": "poet",
        "gen_ai.conversation.id": "talk-1",
        "otel_stream.run.id": events[0].run_id,
        "otel_stream.run.kind": "agent",
        "otel_stream.reported.input_tokens": 9,
        "otel_stream.reported.output_tokens": 5,
        "otel_stream.reported.total_tokens": 14,
        "otel_stream.outcome": "completed",
        "otel_stream.partial": False,
        "otel_stream.chunk.count": len(events),
        "otel_stream.content.size": 5,
        "otel_stream.stall.count": 0,
    }
    assert {"otel_stream.time_to_first_token", "otel_stream.reported.duration"} <= set(times)


def test_a_run_that_is_not_streamed_says_how_it_ended(captured: Captured, cast: Cast) -> None:
    """Beside who runs it has its outcome and what Agno reports, and no times of a stream."""
    output = cast.agent().run("Hi", stream=False, session_id="talk-1")

    found = dict(captured.span("invoke_agent Poet").attributes or {})
    assert found["otel_stream.outcome"] == "completed"
    assert found["otel_stream.run.id"] == output.run_id
    assert found["otel_stream.reported.input_tokens"] == 9
    assert "otel_stream.chunk.count" not in found


@pytest.mark.parametrize("who", ["agent", "team"])
@pytest.mark.parametrize("way", ["read", "left", "dropped", "cancelled"])
async def test_a_run_has_its_id_however_it_ends(
    captured: Captured, cast: Cast, who: str, way: str
) -> None:
    """Without events too: each piece of content names its run."""
    one = getattr(cast, who)()
    events = one.run("Hi", **MODES["streamed"])
    run_id = next(events).run_id
    if way == "read":
        list(events)
    elif way == "left":
        events.close()
    elif way == "cancelled":
        one.cancel_run(run_id)
        list(events)
    del events

    found = captured.span(f"invoke_agent {one.name}").attributes or {}
    assert found["otel_stream.run.id"] == run_id


def test_an_agent_without_a_name_is_not_called_after_its_model(
    captured: Captured, cast: Cast
) -> None:
    """Models change, and a span's name says who runs."""
    agent = cast.agent()
    agent.name = None
    agent.run("Hi", stream=False)

    assert captured.span("invoke_agent").attributes


async def test_a_number_in_a_session_is_a_hash(captured: Captured, cast: Cast) -> None:
    """Bots name sessions after the person's number, which stands on no span, events or not."""
    for mode in MODES.values():
        await consume(cast.agent(), "run", {"session_id": "whatsapp_5511999998888", **mode})

    runs = [span.attributes or {} for span in captured.spans("invoke_agent Poet")]
    hidden = f"whatsapp_{hashed(one_number('5511999998888'))}"
    assert [run["gen_ai.conversation.id"] for run in runs] == [hidden] * 3


@pytest.mark.otel_stream(capture_content="span")
@pytest.mark.parametrize("mode", MODES)
async def test_content_is_kept_when_asked_for(captured: Captured, cast: Cast, mode: str) -> None:
    """With content capture a run has what went in and what came out, once."""
    await consume(cast.agent(), "run", MODES[mode], "Hi there")

    found = captured.span("invoke_agent Poet").attributes or {}
    assert found["gen_ai.input.messages"] == (
        '[{"role":"user","parts":[{"type":"text","content":"Hi there"}]}]'
    )
    assert found["gen_ai.output.messages"] == (
        '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]'
    )


@pytest.mark.parametrize("mode", MODES)
async def test_no_content_by_default(captured: Captured, cast: Cast, mode: str) -> None:
    """Without content capture nothing of what was said or done stands on any span."""
    await consume(cast.agent(tools=[weather]), "run", MODES[mode], "Confidential")

    for span in captured.spans():
        told = f"{span.attributes} {[event.attributes for event in span.events]}"
        assert not any(word in told for word in ("Confidential", "Hello", "Rio", "sunny"))


async def test_reasoning_has_a_first_time_of_its_own(
    captured: Captured, cast: Cast, brain: Brain
) -> None:
    """What a model thinks is a run's first token, and no text."""
    brain.thoughts = ["Hm", "m"]
    await consume(cast.agent(), "run", MODES["events"])

    found = captured.span("invoke_agent Poet").attributes or {}
    assert (
        found["otel_stream.time_to_first_token"]
        == found["otel_stream.time_to_first_reasoning"]
        < found["otel_stream.time_to_first_text"]
    )
    assert found["otel_stream.content.size"] == 5


def test_runs_are_counted_and_calls_are_the_models(captured: Captured, cast: Cast) -> None:
    """A run in the process is a stream, and no client call: those metrics are the model's alone."""
    list(cast.agent().run("Hi", stream=True, **EVENTS))

    run = {"gen_ai.operation.name": "invoke_agent"}
    assert captured.point("otel_stream.streams", run).value == 1
    assert captured.point("otel_stream.time_to_first_token", run).count == 1
    durations = captured.metrics()["gen_ai.client.operation.duration"]
    assert [one.attributes["gen_ai.operation.name"] for one in durations] == ["chat"]
    tokens = captured.metrics()["gen_ai.client.token.usage"]
    assert {one.attributes["gen_ai.operation.name"] for one in tokens} == {"chat"}
