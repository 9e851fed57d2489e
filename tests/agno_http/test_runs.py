"""Runs inside runs: parents by id, tools by call, ends that are told once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream_agno.runs import Run

from .streams import Event, Runner, agent, member, team

pytestmark = pytest.mark.sdk_matrix  # msgspec and the HTTP libraries count too

Play = Callable[..., Run]
OUTER = "invoke_agent outer"
ERROR = StatusCode.ERROR


def attribute(span: ReadableSpan, name: str) -> Any:
    return (span.attributes or {}).get(f"otel_stream.{name}")


def parent_of(span: ReadableSpan, captured: Captured) -> str | None:
    names = {one.context.span_id: one.name for one in captured.spans() if one.context}
    return names.get(span.parent.span_id) if span.parent else None


def interleaved(*runs: list[Event]) -> list[Event]:
    """One event of each in turn."""
    longest = max(len(run) for run in runs)
    return [run[at] for at in range(longest) for run in runs if at < len(run)]


def test_a_member_is_a_run_of_its_own(run: Play, captured: Captured) -> None:
    """A member's text is its own span's; the team's first text is the member's all the same."""
    joker = member("joker")
    inner = joker.whole("Why do ", "they?")
    run([team.start(), *team.says(), *inner, *team.says("Done."), team.end("Done.")])
    outer, inside = captured.span(OUTER), captured.span("invoke_agent Joker")

    assert (attribute(outer, "content.size"), attribute(inside, "content.size")) == (5, 12)
    assert (attribute(outer, "run.kind"), attribute(inside, "run.kind")) == ("team", "agent")
    assert attribute(outer, "time_to_first_text") == pytest.approx(0.5)
    assert attribute(inside, "time_to_first_text") == pytest.approx(0.2)
    assert (outer.kind, inside.kind) == (SpanKind.CLIENT, SpanKind.INTERNAL)


def test_interleaved_members_keep_their_parents(run: Play, captured: Captured) -> None:
    """Two members at once, one of a team inside the team: each under its own parent, with its own
    text and its own times."""
    inner_team = Runner("crew", "r-crew", team=True, inside=team.run)
    one, two = member("one"), member("two", inside=inner_team)
    parts = interleaved(one.whole("1", "1"), [inner_team.start(), *two.whole("22", "22")])
    run([team.start(), *parts, inner_team.end(), *team.says("T"), team.end()])
    parents = {span.name: parent_of(span, captured) for span in captured.spans()}

    assert parents == {
        OUTER: None,
        "invoke_agent One": OUTER,
        "invoke_agent Crew": OUTER,
        "invoke_agent Two": "invoke_agent Crew",
    }
    sizes = {s.name: attribute(s, "content.size") for s in captured.spans()}
    assert sizes == {OUTER: 1, "invoke_agent One": 2, "invoke_agent Two": 4, "invoke_agent Crew": 0}
    assert attribute(captured.span("invoke_agent Crew"), "time_to_first_text") is not None


def test_waiting_counts_for_whoever_waits(run: Play, captured: Captured) -> None:
    """While a member's neighbour is told of, the member is waited for: nobody was slow to read."""
    one, two = member("one"), member("two")
    run([team.start(), *interleaved(one.whole("1"), two.whole("2")), team.end()])
    inside = captured.span("invoke_agent One")

    assert attribute(inside, "consumer_time") == pytest.approx(0)
    assert attribute(inside, "provider_wait") == pytest.approx(0.6)


def test_tools_are_told_apart_by_call(run: Play, captured: Captured) -> None:
    """Two calls of one tool at once, ended in the other order: each its own time and success."""
    begun = [agent.tool("Started", "call-1"), agent.tool("Started", "call-2")]
    done = [agent.tool("Completed", "call-2"), agent.tool("Error", "call-1")]
    run([agent.start(), *begun, *done, agent.end()])
    tools = {
        (s.attributes or {})["gen_ai.tool.call.id"]: s
        for s in captured.spans("execute_tool search")
    }
    first, second = tools["call-1"], tools["call-2"]

    assert ((first.end_time or 0) - (first.start_time or 0)) / 1e9 == pytest.approx(0.3)
    assert ((second.end_time or 0) - (second.start_time or 0)) / 1e9 == pytest.approx(0.1)
    assert (first.status.status_code, second.status.status_code) == (ERROR, StatusCode.UNSET)
    assert (first.attributes or {})["error.type"] == "ToolCallError"
    assert parent_of(first, captured) == OUTER


def test_a_tool_that_says_it_failed(run: Play, captured: Captured) -> None:
    """Older versions complete a failed tool, and say so inside."""
    done = agent.tool("Completed", "call-1", tool_call_error=True, result="secret")
    run([agent.start(), agent.tool("Started", "call-1"), done, agent.end()])
    tool = captured.span("execute_tool search")

    assert tool.status.status_code is ERROR
    assert "secret" not in str((tool.attributes, tool.status.description))


@pytest.mark.otel_stream(capture_content=True)
def test_what_a_tool_is_asked_and_answers(run: Play, captured: Captured) -> None:
    """With content capture a tool's span has its arguments and its result."""
    done = agent.tool("Completed", "call-1", result="21C")
    run([agent.start(), agent.tool("Started", "call-1"), done, agent.end()])
    attributes = captured.span("execute_tool search").attributes or {}

    assert attributes["gen_ai.tool.call.arguments"] == '{"city":"Porto Alegre"}'
    assert attributes["gen_ai.tool.call.result"] == "21C"


def test_tools_of_members(run: Play, captured: Captured) -> None:
    """A member's tool is a child of the member, also where the team has a call of the same id."""
    joker = member("joker")
    calls = [team.tool("Started", "1", "delegate"), joker.start(), joker.tool("Started", "1")]
    ends = [joker.tool("Completed", "1"), joker.end(), team.tool("Completed", "1", "delegate")]
    run([team.start(), *calls, *ends, team.end()])

    assert parent_of(captured.span("execute_tool search"), captured) == "invoke_agent Joker"
    assert parent_of(captured.span("execute_tool delegate"), captured) == OUTER


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.CLOSED_EARLY, Outcome.ABANDONED])
def test_what_is_open_ends_as_the_outer_does(
    outcome: Outcome, run: Play, captured: Captured
) -> None:
    """Members and tools that are open when the stream is left end with it, and as it does."""
    events = [team.start(), member("joker").start(), team.tool("Started", "1")]
    run(events, finish=False).recorder.close(outcome)
    ends = {span.end_time for span in captured.spans()}

    assert {attribute(s, "outcome") for s in captured.spans() if "invoke" in s.name} == {outcome}
    assert (len(captured.spans()), len(ends)) == (3, 1)


def test_a_cut_stream_cuts_all(run: Play, captured: Captured) -> None:
    """Without a terminal event the run is truncated, and so is what it had begun."""
    run([team.start(), *member("joker").whole("a")[:-1], team.tool("Started", "1")])

    assert {span.status.status_code for span in captured.spans()} == {ERROR}
    assert {(s.attributes or {})["error.type"] for s in captured.spans()} == {"truncated"}


@pytest.mark.otel_stream(capture_content=True)
def test_an_error_without_an_id(run: Play, captured: Captured) -> None:
    """A server tells its failure with empty ids: it is the outer run's, and no exception's."""
    joker = member("joker")
    failure = {"event": "RunError", "agent_id": "", "agent_name": "", "content": "out of money"}
    run([team.start(), joker.start(), *joker.says("a"), failure])
    outer = captured.span(OUTER)

    assert (attribute(outer, "outcome"), outer.status.description) == ("error", "out of money")
    assert attribute(captured.span("invoke_agent Joker"), "outcome") == "error"


def test_a_member_may_fail_alone(run: Play, captured: Captured) -> None:
    """A member's error is the member's: the team may still answer."""
    failure = member("joker").event("RunError", content="no joke", error_type="ModelError")
    run([team.start(), member("joker").start(), failure, *team.says("Sorry."), team.end()])
    inside = captured.span("invoke_agent Joker")

    assert attribute(captured.span(OUTER), "outcome") == "completed"
    assert (inside.attributes or {})["error.type"] == "ModelError"


def test_a_cancelled_run(run: Play, captured: Captured) -> None:
    """A server that says it has cancelled a run has not completed it, and nothing has failed."""
    run([agent.start(), *agent.says("a"), agent.event("RunCancelled", reason="asked to")])
    span = captured.span()

    assert (attribute(span, "outcome"), attribute(span, "partial")) == ("cancelled", True)
    assert span.status.status_code is StatusCode.UNSET


def test_a_paused_run(run: Play, captured: Captured) -> None:
    """A run that waits for somebody is completed, with a mark."""
    run([agent.start(), *agent.says("May I?"), agent.event("RunPaused", tools=[])])
    span = captured.span()

    assert (attribute(span, "outcome"), attribute(span, "run.paused")) == ("completed", True)


def test_what_a_paused_run_waits_with(run: Play, captured: Captured) -> None:
    """The calls that wait for somebody are told by the pause alone."""
    waits = {"tool_call_id": "c1", "tool_name": "publish", "tool_args": {}}
    run([agent.start(), agent.event("RunPaused", tools=[waits])])
    calls = [event for event in captured.span().events if event.name == "otel_stream.tool_call"]

    assert [(event.attributes or {})["gen_ai.tool.name"] for event in calls] == ["publish"]


LISTS = {"input_tokens": [40, 22], "output_tokens": [30], "total_tokens": [92], "time": [0.5, 0.2]}
FIGURES = {"input_tokens": 62, "output_tokens": 30, "total_tokens": 92, "duration": 0.7}


@pytest.mark.parametrize("metrics", [LISTS, FIGURES], ids=["1.7", "2.x"])
def test_figures_that_are_reported(metrics: dict[str, Any], run: Play, captured: Captured) -> None:
    """What a server says of a run stands apart from what is measured, and is never usage."""
    first = {"time_to_first_token": [0.003, 0.1] if metrics is LISTS else 0.003}
    run([agent.start(), *agent.says("a"), agent.end("a", metrics={**metrics, **first})])
    attributes = captured.span().attributes or {}
    reported = {n.rpartition(".")[2]: v for n, v in attributes.items() if ".reported." in n}

    assert reported == {**FIGURES, "time_to_first_token": 0.003}
    assert attributes["otel_stream.time_to_first_token"] == pytest.approx(0.3)
    assert [name for name in attributes if name.startswith("gen_ai.usage.")] == []


@pytest.mark.parametrize("odd", [None, "many", [], ["many"], float("nan"), -1, True, 2**70])
def test_figures_that_are_none(odd: Any, run: Play, captured: Captured) -> None:
    """What is no figure is not reported."""
    run([agent.start(), agent.end("", metrics={"input_tokens": odd})])

    assert attribute(captured.span(), "reported.input_tokens") is None


def test_reasoning_and_its_steps(run: Play, captured: Captured) -> None:
    """Reasoning in deltas counts as such; a step repeats what was reasoned before it."""
    steps = [
        agent.event("ReasoningStarted"),
        agent.event("ReasoningStep", reasoning_content="one "),
        agent.event("ReasoningStep", reasoning_content="one two"),
    ]
    run([agent.start(), *steps, *agent.says("a"), agent.end("a")])
    span = captured.span()

    assert attribute(span, "time_to_first_reasoning") == pytest.approx(0.3)
    assert attribute(span, "time_to_first_text") == pytest.approx(0.6)


def test_strays_of_a_member_open_nothing(run: Play, captured: Captured) -> None:
    """What comes of a member after its end, or under a name that nobody knows, opens no run."""
    joker = member("joker")
    stray = [joker.event("RunContentCompleted"), *joker.says("late")]
    unknown = member("ghost").event("GhostSeen")
    run([team.start(), *joker.whole("a"), *stray, unknown, team.end()])

    assert len(captured.spans("invoke_agent Joker")) == 1
    assert captured.spans("invoke_agent Ghost") == []


def test_the_end_of_a_run_ends_it_unread(run: Play, captured: Captured) -> None:
    """Who stops reading at the last event, and closes nothing, has a completed run."""
    trace = run([*agent.whole("a")], finish=False)
    trace.recorder.leave(Outcome.CLOSED_EARLY)

    assert attribute(captured.span(), "outcome") == "completed"


def test_members_without_end_are_bounded(run: Play, captured: Captured) -> None:
    """However many members and tools begin, a stream keeps no more than a few hundred open."""
    many = [member(f"m{number}").start() for number in range(400)]
    tools = [team.tool("Started", str(number)) for number in range(400)]
    run([team.start(), *many, *tools, team.end()])

    assert len(captured.spans()) == 256 + 256 + 1


def test_nothing_waits_for_the_collector(run: Play, captured: Captured) -> None:
    """An ended run leaves no cycle behind: it is gone with whoever held it."""
    gc.disable()
    try:
        held = run([team.start(), *member("joker").whole("a"), team.end()])
        gone = weakref.ref(held)
        del held

        assert gone() is None
    finally:
        gc.enable()
