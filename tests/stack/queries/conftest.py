"""A stack that is filled once, for all questions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from stack.made.programs import Programs
from stack.servers.running import Stack

from .answers import Answers, eventually
from .fleet import DEMO, SERVICE, Services, Unwell, fill

# What must have come through before anything is asked.
ARRIVED = (
    'sum(otel_stream:streams:rate5m{job="demo"}) * 300 > 15.9',
    'sum(otel_stream_spans_calls_total{job="demo"}) == 16',
    'sum(otel_stream:streams:rate5m{job="traces-only"}) * 300 > 4.9',
    'sum(otel_stream:stalls:rate5m{job="traces-only"}) > 0',
    'otel_stream:tokens:rate5m{job="latest"}',
    "otel_stream:delivery_queue_wait_seconds_bucket:rate5m",
    "otel_stream:collector_limited:rate5m > 0",
    "otel_stream:collector_lost:rate5m > 0",
    "otel_stream:streams:steady6h",
)


@pytest.fixture(scope="session")
def answers(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """A stack into which the demo and the other services have sent, and which has taken it in."""
    room = tmp_path_factory.mktemp("queries")
    with ExitStack() as held:
        stack = held.enter_context(Stack(room / "stack", programs, every=2))
        asked = Answers(stack, time.time())
        unwell = held.enter_context(Unwell(stack, programs, room))
        _fill(stack, unwell, room / "services")
        for query in ARRIVED:
            assert eventually(partial(asked.now, query), 90), query
        # Questions over a time have steps of two seconds: the last may have been before it came.
        assert eventually(partial(asked.over_time, ARRIVED[-1]), 10)
        assert eventually(lambda: _in_influxdb(asked), 30)
        yield asked


def _fill(stack: Stack, unwell: Unwell, room: Path) -> None:
    with Services(room) as services:
        services.start("demo", DEMO, stack.agent)
        services.start("traces-only", SERVICE, stack.agent, OTEL_METRICS_EXPORTER="none")
        services.start("latest", SERVICE, stack.agent, OTEL_STREAM_SEMCONV="latest")
        services.start("refused", SERVICE, unwell.short, OTEL_STREAM_SHUTDOWN_TIMEOUT="2")
        services.start("lost", SERVICE, unwell.lost)
        fill(stack.agent)
        ended = services.ended()
    assert set(ended.values()) == {0}, ended


def _in_influxdb(answers: Answers) -> bool:
    query = 'SELECT sum("otel_stream_spans_events_total") FROM "prometheus" GROUP BY "service.name"'
    found = {series["tags"]["service.name"] for series in answers.influxdb(query)}
    return {"demo", "traces-only"} <= found
