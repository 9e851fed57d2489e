"""A run over HTTP, seen from both ends: the program that asks, and AgentOS that runs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import propagate
from opentelemetry.trace import SpanKind

from otel_stream.testing import Captured
from otel_stream_agno_http import AgnoHttpInstrumentor

from . import test_os
from .cast import Cast, weather

if not hasattr(test_os, "serving"):
    pytest.skip("AgentOS cannot be imported", allow_module_level=True)

serving, pytestmark = test_os.serving, test_os.pytestmark


@pytest.fixture
def captured(captured: Captured) -> Iterator[Captured]:
    """What is recorded, with runs over HTTP instrumented too."""
    instrumentor = AgnoHttpInstrumentor()
    mine = not instrumentor.is_instrumented_by_opentelemetry
    if mine:
        instrumentor.instrument()
    yield captured
    if mine and instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


def traced(app: Any) -> Any:
    """As an instrumented server does: what comes with a request is its context."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        token = otel_context.attach(propagate.extract(headers))
        try:
            await app(scope, receive, send)
        finally:
            otel_context.detach(token)

    return serve


def facts_of(span: Any) -> Any:
    return span.attributes or {}


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_an_agent(captured: Captured, cast: Cast, stream: str) -> None:
    """One trace: the server's run is a child of the client's, and tokens stand on models alone."""
    asked = {"message": "Hi", "stream": stream, "session_id": "talk-1"}
    async with serving(traced, agents=[cast.agent(tools=[weather], asynchronous=True)]) as client:
        answer = await client.post("/agents/poet/runs", data=asked)
    client_span = captured.span("invoke_agent poet")
    server_span = captured.span("invoke_agent Poet")
    counted = [s.name for s in captured.spans() if "gen_ai.usage.input_tokens" in facts_of(s)]

    assert "Hello" in answer.text
    assert (client_span.kind, server_span.kind) == (SpanKind.CLIENT, SpanKind.INTERNAL)
    assert server_span.parent and client_span.context
    assert server_span.parent.span_id == client_span.context.span_id
    assert (
        facts_of(client_span)["otel_stream.run.id"] == facts_of(server_span)["otel_stream.run.id"]
    )
    assert {span.context.trace_id for span in captured.spans() if span.context} == {
        client_span.context.trace_id
    }
    assert counted == ["chat gpt-5-mini"] * 2


async def test_a_team(captured: Captured, cast: Cast) -> None:
    """Both ends tell the member apart from the team, and both say that the run was whole."""
    asked = {"message": "Hi", "stream": "true"}
    async with serving(traced, teams=[cast.team(asynchronous=True)]) as client:
        await client.post("/teams/editors/runs", data=asked)
    client_span, server_span = (
        captured.span("invoke_agent editors"),
        captured.span("invoke_agent Editors"),
    )
    members = captured.spans("invoke_agent Poet")

    for name in ("otel_stream.outcome", "otel_stream.content.size", "otel_stream.run.id"):
        assert facts_of(client_span)[name] == facts_of(server_span)[name]
    assert len({facts_of(member)["otel_stream.run.id"] for member in members}) == 1
    assert len({facts_of(member)["otel_stream.content.size"] for member in members}) == 1
    assert len(members) == 2
