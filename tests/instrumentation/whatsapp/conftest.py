"""Telemetry with the WhatsApp instrumentors at work, fake servers, a person for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otel_stream import runtime
from otel_stream.control import start
from otel_stream.settings import Settings
from otel_stream.testing import Captured, CloudServer, EvolutionServer
from otel_stream_evolution import EvolutionInstrumentor
from otel_stream_pywa import PywaInstrumentor

from .posts import POSTS, Answer
from .talks import FLAVOURS, Talk

KEY = "evo-key-0123456789abcdef"
Send = Callable[..., Answer]
Sent = Callable[[], ReadableSpan]

_people = itertools.count(1)


@pytest.fixture
def captured(request: pytest.FixtureRequest) -> Iterator[Captured]:
    """What is recorded. The marker `otel_stream` has settings."""
    marker = request.node.get_closest_marker("otel_stream")
    kept = Captured()
    settings = Settings.resolve(**(marker.kwargs if marker else {}))
    start(settings, kept.tracer_provider, kept.meter_provider, kept.logger_provider)
    mine = runtime.current()
    instrumentors = EvolutionInstrumentor(), PywaInstrumentor()
    for instrumentor in instrumentors:
        instrumentor.attempt()
    yield kept
    for instrumentor in instrumentors:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()
    runtime.install(None)
    mine.telemetry.shutdown()
    assert kept.open_spans() == []


@pytest.fixture
def evolution() -> Iterator[EvolutionServer]:
    """A fake Evolution API with an instance `bot`."""
    with EvolutionServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[CloudServer]:
    """A fake Cloud API."""
    with CloudServer() as server:
        yield server


@pytest.fixture
def number() -> str:
    """A person's number that no other test has: what they saw is kept by the process."""
    return f"55119{next(_people):08d}"


@pytest.fixture
def post(evolution: EvolutionServer) -> Send:
    """Posts to the fake Evolution API."""

    def send(path: str, body: dict[str, Any], library: str = "requests", **options: Any) -> Answer:
        if not {"data", "files"} & set(options):
            options["json"] = body
        url = f"{evolution.url}/{path}"
        return POSTS[library](url, headers={"apikey": KEY}, **options)

    return send


@pytest.fixture
def sent(captured: Captured) -> Sent:
    """The span of the only message."""
    return lambda: captured.span("send whatsapp")


@pytest.fixture(params=FLAVOURS)
def talk(request: pytest.FixtureRequest, cloud: CloudServer) -> Talk:
    """A client of each flavour."""
    return Talk(request.param, cloud)
