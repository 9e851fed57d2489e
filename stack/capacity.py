"""What one agent sustains, and what it costs: `python -m stack.capacity` writes docs/fleet.md.

The agent is the shipped one with all its exporters on: traces to a collector that throws them away
(a back end's cost is not the agent's), metrics scraped by Prometheus and sent to InfluxDB, all to
JSON lines, queues on the disk.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from otel_stream.pipeline.influxdb import InfluxDB
from stack.collector import Collector
from stack.influxdb import InfluxDBServer
from stack.load import Load
from stack.payload import Payload
from stack.points import Points
from stack.programs import Programs
from stack.prometheus import PrometheusServer
from stack.running import DATABASE
from stack.usage import Usage

__all__ = ["Capacity", "Step", "measure"]

SECONDS = 12.0
WARM_UP = 3.0
BATCH = 100
RATES = (250, 500, 1000, 2000, 4000, 8000, None)
POINT_RATES = (1000, 5000, 10_000, None)
SMALL_MIB = 192
SINK = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${env:OTEL_STREAM_HTTP_PORT}"}}}}
exporters: {nop: {}}
extensions: {health_check: {endpoint: "127.0.0.1:${env:OTEL_STREAM_HEALTH_PORT}"}}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
"""


@dataclass(frozen=True)
class Step:
    """One rate, for twelve seconds."""

    offered: float | None
    """Items a second; None for as many as go."""
    acknowledged: float
    """Items a second."""
    cpu: float
    """CPU seconds a second of the agent."""
    memory: float
    """MiB resident at most."""
    refused: int
    """Requests that were refused and sent again."""


@dataclass
class Capacity:
    """All that was measured."""

    machine: str
    size: float = 0.0
    """Bytes a span on the wire, uncompressed."""
    idle: Step | None = None
    spans: list[Step] = field(default_factory=list)
    points: list[Step] = field(default_factory=list)
    limited: Step | None = None
    """As many as go into an agent that may have little memory, its back end for traces away."""


def measure(room: Path, programs: Programs, tell: Callable[[str], None]) -> Capacity:
    """Measure it all; some four minutes."""
    found = Capacity(f"{os.cpu_count()} cores, {platform.machine()}, Linux")
    found.size = len(Payload("size", BATCH).next().body) / BATCH
    with _agent(room / "all", programs) as agent:
        found.idle = _step(agent, None, lambda: Payload("idle", 1), idle=True)
        for rate in RATES:
            tell(f"spans: {rate or 'as many as go'} a second")
            found.spans.append(_step(agent, rate, lambda: Payload("load", BATCH)))
    with _agent(room / "points", programs) as agent:
        for rate in POINT_RATES:
            tell(f"metric points: {rate or 'as many as go'} a second")
            made = lambda: Points("load", "load-1")  # noqa: E731 - one line says it
            found.points.append(_step(agent, rate, made, path="/v1/metrics"))
    tell(f"as many spans as go into {SMALL_MIB} MiB, with nobody to take them")
    with _agent(room / "small", programs, {"MEMORY_MIB": str(SMALL_MIB)}, sink=False) as agent:
        found.limited = _step(agent, None, lambda: Payload("limited", BATCH))
    return found


def _step(
    agent: Collector,
    rate: float | None,
    make: Callable[[], Payload | Points],
    *,
    path: str = "/v1/traces",
    idle: bool = False,
) -> Step:
    with ExitStack() as held:
        load = Load(agent.ports["HTTP"], make, rate, path)
        if not idle:
            held.enter_context(load)
        time.sleep(WARM_UP)
        before, refused = load.spans, load.refused
        began = time.monotonic()
        with Usage(agent.process.pid) as usage:
            time.sleep(SECONDS)
            took = time.monotonic() - began
            acknowledged = load.spans - before
        return Step(
            rate, acknowledged / took, usage.cpu / took, usage.memory, load.refused - refused
        )


@contextmanager
def _agent(
    room: Path, programs: Programs, variables: dict[str, str] | None = None, *, sink: bool = True
) -> Iterator[Collector]:
    room.mkdir(parents=True)
    config = room / "sink.yaml"
    config.write_text(SINK)
    takes = Collector(programs.collector(), room / "sink", [str(config)], name="sink")
    influxdb = InfluxDBServer(programs.influxd(), room / "influxdb")
    said = {
        "TRACES_ENDPOINT": takes.http,
        "TRACES_INSECURE": "true",
        "INFLUXDB_URL": influxdb.url,
        "INFLUXDB_DATABASE": DATABASE,
    }
    agent = Collector(programs.collector(), room / "agent", variables=said | (variables or {}))
    targets = {"agents": [f"127.0.0.1:{agent.ports['PROMETHEUS']}"]}
    prometheus = PrometheusServer(programs.prometheus(), room / "prometheus", targets)
    with ExitStack() as held:
        if sink:
            held.enter_context(takes.process)
        held.enter_context(influxdb.process)
        InfluxDB(influxdb.url, DATABASE).create()
        held.enter_context(prometheus.process)
        held.enter_context(agent.process)
        yield agent


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        capacity = measure(Path(folder), Programs(), lambda text: print(text, file=sys.stderr))
    print(json.dumps(asdict(capacity), indent=1))
