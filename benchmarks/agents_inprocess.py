"""What an event of an Agno run costs, beyond making it: `python benchmarks/agents_inprocess.py`.

Ready-made events go through the object that stands in for Agno's generator, in a `for` and in an
`async for` loop, as they do in a program; all telemetry included, exported to nowhere. Prints the
best of some rounds as JSON, in microseconds of CPU.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable
from time import process_time_ns
from types import SimpleNamespace
from typing import Any

os.environ["AGNO_TELEMETRY"] = "false"

from agno.run.agent import RunCompletedEvent, RunContentEvent, RunStartedEvent
from agno.run.team import RunContentEvent as TeamRunContentEvent
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import otel_stream
from otel_stream_agno.calls import Run

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
COUNT = 2_000
AGENT = {"run_id": "r-1", "agent_id": "poet", "agent_name": "Poet", "session_id": "s-1"}


class _Nowhere(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def events(kind: str) -> list[Any]:
    """The events of a run: content of its own, or of a team's member."""
    if kind == "member":
        start: list[Any] = [TeamRunContentEvent(run_id="t-1", team_id="poet", content="")]
        return start + [RunContentEvent(**AGENT, content="word ") for _ in range(COUNT)]
    words: list[Any] = [RunContentEvent(**AGENT, content="word ") for _ in range(COUNT)]
    return [RunStartedEvent(**AGENT), *words, RunCompletedEvent(**AGENT, content="word " * COUNT)]


def traced(made: Any, kind: str) -> Any:
    """What a program would get for that generator."""
    agent = SimpleNamespace(name="Poet", id="poet", model=SimpleNamespace(id="m"))
    whose = "team" if kind == "member" else "agent"
    return Run(whose, (agent, "Hi"), {"stream": True}).handed_out(made)


def sync_loop(made: list[Any], kind: str, with_us: bool) -> int:
    """CPU (ns) of one loop."""

    def generator() -> Any:
        yield from made

    stream: Any = generator()
    began = process_time_ns()
    for _ in traced(stream, kind) if with_us else stream:
        pass
    return process_time_ns() - began


def async_loop(made: list[Any], kind: str, with_us: bool) -> int:
    """The same, async."""

    async def generator() -> Any:
        for one in made:
            yield one

    async def read() -> int:
        stream: Any = generator()
        began = process_time_ns()
        async for _ in traced(stream, kind) if with_us else stream:
            pass
        return process_time_ns() - began

    return asyncio.run(read())


def best(loop: Callable[[list[Any], str, bool], int], kind: str) -> dict[str, float]:
    """The best round without and with us, and what we add; for one event."""
    made = events(kind)
    least = {False: float("inf"), True: float("inf")}
    for _ in range(ROUNDS):
        for with_us, fewest in least.items():
            gc.collect()
            least[with_us] = min(fewest, loop(made, kind, with_us) / len(made) / 1000)
    bare, ours = least[False], least[True]
    return {"bare": round(bare, 3), "ours": round(ours, 3), "added": round(ours - bare, 3)}


def main() -> None:
    """Measure, and print."""
    tracers, meters = TracerProvider(), MeterProvider([InMemoryMetricReader()])
    tracers.add_span_processor(BatchSpanProcessor(_Nowhere()))
    otel_stream.instrument(only=(), tracer_provider=tracers, meter_provider=meters)
    found = {
        f"{loop.__name__} {kind}": best(loop, kind)
        for loop in (sync_loop, async_loop)
        for kind in ("own", "member")
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
