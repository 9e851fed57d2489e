"""Agno traced, on a local model; it never speaks to its makers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from otel_stream.testing import Captured, ProviderServer
from otel_stream_agno import AgnoInstrumentor

from .brain import Brain
from .cast import Cast, weather


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agno posts telemetry to a public host unless told not to, and logs what tools raise."""
    monkeypatch.setenv("AGNO_TELEMETRY", "false")
    for name in ("agno", "agno-team"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)


@pytest.fixture
def captured(otel_stream_captured: Captured) -> Iterator[Captured]:
    """What is recorded, with Agno instrumented, also where no entry point says so."""
    instrumentor = AgnoInstrumentor()
    mine = not instrumentor.is_instrumented_by_opentelemetry
    if mine:
        instrumentor.instrument()
    yield otel_stream_captured
    if mine and instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


@pytest.fixture
def brain(server: ProviderServer) -> Brain:
    """What the model does: it asks for the weather, and a leader asks the poet."""
    brain = Brain({weather.__name__: {"city": "Rio"}}, ["poet"])
    server.handler = brain
    return brain


@pytest.fixture
async def cast(server: ProviderServer, brain: Brain) -> AsyncIterator[Cast]:
    """Makes agents and teams."""
    cast = Cast(server)
    yield cast
    await cast.close()
