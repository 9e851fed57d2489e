"""Agents and delivery, where the peers see little or nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import requests
from opentelemetry.trace import SpanKind, StatusCode

from otel_stream.testing import Captured, EvolutionServer, ProviderServer, Script, openai_error
from otel_stream_agno import AgnoInstrumentor
from otel_stream_evolution import EvolutionInstrumentor
from tests.instrumentation.agno.brain import Brain
from tests.instrumentation.agno.cast import EVENTS, Cast, consume


@pytest.fixture
def captured(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> Iterator[Captured]:
    """What is recorded, with Agno instrumented, which is quiet and sends nothing to its makers."""
    monkeypatch.setenv("AGNO_TELEMETRY", "false")
    monkeypatch.setattr(logging.getLogger("agno"), "disabled", True)
    for instrumentor in (AgnoInstrumentor(), EvolutionInstrumentor()):
        instrumentor.attempt()
    return captured


@pytest.fixture
async def cast(server: ProviderServer) -> AsyncIterator[Cast]:
    """Makes agents on the scripted model."""
    server.handler = Brain({}, [])
    cast = Cast(server)
    yield cast
    await cast.close()


async def test_tokens_stand_on_the_models_span_alone(captured: Captured, cast: Cast) -> None:
    """An agent's run has its times and its outcome, and no second set of tokens [36]."""
    await consume(cast.agent(asynchronous=True), "arun", {"stream": True, **EVENTS})
    [run] = captured.spans("invoke_agent Poet")
    counted = [s.name for s in captured.spans() if "gen_ai.usage.input_tokens" in _facts(s)]

    assert counted == ["chat gpt-5-mini"]
    assert _facts(run)["otel_stream.outcome"] == "completed"
    assert _facts(run)["otel_stream.time_to_first_text"] > 0


async def test_a_run_that_fails_is_an_error(
    captured: Captured, cast: Cast, server: ProviderServer
) -> None:
    """An error event is an error, though nothing is raised [36]."""
    server.handler = lambda request: Script.json(openai_error("no"), 400)
    try:
        await consume(cast.agent(asynchronous=True), "arun", {"stream": True, **EVENTS})
    except Exception:  # noqa: BLE001 - older versions raise
        pass
    [run] = captured.spans("invoke_agent Poet")

    assert (run.status.status_code, _facts(run)["otel_stream.outcome"]) == (
        StatusCode.ERROR,
        "error",
    )


def test_a_message_to_a_person_has_a_span(captured: Captured) -> None:
    """What is sent over a channel is seen, with whether it was accepted [37]."""
    with EvolutionServer() as evolution:
        requests.post(
            f"{evolution.url}/message/sendText/bot",
            headers={"apikey": evolution.api_key},
            json={"number": "5511999990000", "text": "Hello"},
            timeout=10,
        )
    [span] = captured.spans("send whatsapp")

    assert span.kind is SpanKind.CLIENT
    assert _facts(span)["otel_stream.delivery.status"] == "accepted"


def _facts(span: Any) -> Any:
    return span.attributes or {}
