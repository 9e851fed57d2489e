"""Telemetry that fails changes nothing of a run."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from otel_stream import errors
from otel_stream.testing import Captured

from .cast import MODES, Cast, consume, weather

pytestmark = pytest.mark.sdk_matrix


class Broken(SpanProcessor):
    """Raises when a span ends."""

    def on_end(self, span: ReadableSpan) -> None:
        raise OSError("no disk")


class Unspeakable(str):
    """A name that cannot be told."""

    def __format__(self, spec: str) -> str:
        raise LookupError


@pytest.mark.parametrize(("method", "mode"), [(m, n) for m in ("run", "arun") for n in MODES])
async def test_a_processor_that_raises_reaches_nobody(
    captured: Captured, cast: Cast, lenient: None, method: str, mode: str
) -> None:
    """The answer is what it would be, and that we have failed is counted."""
    agent = cast.agent(tools=[weather], asynchronous=method == "arun")
    captured.tracer_provider.add_span_processor(Broken())
    events = await consume(agent, method, MODES[mode])

    said = "".join(str(one.content or "") for one in events if _tells(one))
    assert said.endswith("Hello")
    assert errors.faults["ending a tool"] == 1


def _tells(event: Any) -> bool:
    return getattr(event, "event", "RunContent") == "RunContent"


@pytest.mark.parametrize(("method", "mode"), [(m, n) for m in ("run", "arun") for n in MODES])
async def test_an_agent_that_cannot_be_told_runs_untraced(
    captured: Captured, cast: Cast, lenient: None, method: str, mode: str
) -> None:
    """What fails in us before a run leaves the run alone; the model's call is still there."""
    agent = cast.agent(asynchronous=method == "arun")
    agent.name = Unspeakable("Poet")
    await consume(agent, method, MODES[mode])

    assert [span.name for span in captured.spans()] == ["chat gpt-5-mini"]
    assert errors.faults["beginning a run"] == 1
