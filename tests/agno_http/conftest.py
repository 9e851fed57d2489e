from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from otel_stream import runtime
from otel_stream.call import CallInfo
from otel_stream.testing import Captured, ScriptedClock
from otel_stream_agno.runs import Run
from otel_stream_agno_http import AgnoHttpInstrumentor
from otel_stream_agno_http.event import WireEvent

from .server import Answer, WireServer
from .streams import Event


@pytest.fixture
def captured(captured: Captured) -> Iterator[Captured]:
    """What is recorded, with runs over HTTP instrumented."""
    instrumentor = AgnoHttpInstrumentor()
    instrumentor.instrument()
    yield captured
    instrumentor.uninstrument()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], WireServer]]:
    """Starts a server that answers everything so."""
    servers: list[WireServer] = []

    def start(answer: Answer) -> WireServer:
        servers.append(WireServer(lambda path: answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def run(captured: Captured, clock: ScriptedClock) -> Callable[..., Run]:
    """Feeds events to a run, 100 ms apart, and finishes it unless told otherwise."""

    def play(events: Iterable[Event], *, finish: bool = True, **options: Any) -> Run:
        info = CallInfo(operation="invoke_agent", provider="agno", name="invoke_agent outer")
        run = Run(runtime.current(), info, clock=clock, **options)
        for event in events:
            started = clock()
            run.recorder.feed(WireEvent(**_known(event)), started, clock.advance(0.1))
        if finish:
            run.recorder.finish(clock(), clock())
        return run

    return play


def _known(event: Event) -> Event:
    return {name: value for name, value in event.items() if name in WireEvent.__struct_fields__}
