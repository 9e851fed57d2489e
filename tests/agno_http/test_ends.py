"""What is known of a run at its end: its id, its outcome, and what its failure may say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream_agno.runs import Run

from .streams import agent, member, team

pytestmark = pytest.mark.sdk_matrix

Play = Callable[..., Run]


def attributes(captured: Captured, name: str = "invoke_agent outer") -> dict[str, Any]:
    return dict(captured.span(name).attributes or {})


@pytest.mark.parametrize("outcome", [None, Outcome.CLOSED_EARLY, Outcome.CANCELLED])
def test_content_alone_tells_the_runs_id(
    run: Play, captured: Captured, outcome: Outcome | None
) -> None:
    """Each event names its run, also where none says that it begins or ends."""
    played = run(agent.says("a", "b"), finish=outcome is None)
    if outcome is not None:
        played.recorder.close(outcome)

    assert attributes(captured)["otel_stream.run.id"] == "r-genie"


def test_an_error_after_the_end_changes_nothing(run: Play, captured: Captured) -> None:
    """The run's own last event decides; a server may still stumble over what it does then."""
    late = {"event": "RunError", "content": "cannot be stored"}
    run([agent.start(), *agent.says("a"), agent.end("a"), late])
    found = attributes(captured)

    assert (found["otel_stream.outcome"], found["otel_stream.chunk.count"]) == ("completed", 4)
    assert "error.type" not in found


def test_a_failure_of_a_server_is_not_told(run: Play, captured: Captured) -> None:
    """It may repeat what was asked: the code stands for it, of the run and of what is inside."""
    failure = {"event": "RunError", "content": "no Maria here", "error_type": "input_check_error"}
    run([team.start(), member("joker").start(), failure])

    told = {span.status.description for span in captured.spans()}
    assert (len(captured.spans()), told) == (2, {"input_check_error"})


def test_intermediate_content_is_a_first_text_and_no_content(run: Play, captured: Captured) -> None:
    """What another model makes the answer from comes first, and is not the answer's."""
    first = agent.event("RunIntermediateContent", content="draft")
    run([agent.start(), first, *agent.says("a"), agent.end()])
    found = attributes(captured)

    assert found["otel_stream.time_to_first_token"] == pytest.approx(0.2)
    assert found["otel_stream.time_to_first_text"] == pytest.approx(0.2)
    assert found["otel_stream.content.size"] == 1
