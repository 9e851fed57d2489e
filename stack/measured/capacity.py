"""What a collector sustains, and what it costs: `make bench-stack` writes docs/fleet.md.

The agent is the shipped one with all its exporters on: traces to a collector that throws them away
(a back end's cost is not the agent's), metrics scraped by Prometheus and sent to InfluxDB, all to
JSON lines, queues on the disk. The gateway keeps a tenth.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from otel_stream.pipeline.influxdb import InfluxDB
from stack.made.programs import Programs
from stack.measured.figures import Capacity, Step
from stack.measured.load import Load
from stack.measured.page import write
from stack.measured.payload import Payload, spans
from stack.measured.points import Points
from stack.measured.usage import Usage
from stack.servers.collector import Collector
from stack.servers.fleet import HASH_KEY
from stack.servers.influxdb import InfluxDBServer
from stack.servers.prometheus import PrometheusServer
from stack.servers.running import DATABASE

__all__ = ["measure"]

SECONDS = 12.0
GATEWAY_SECONDS = 60.0
"""Twice as long as a gateway waits for a decision, so that its memory is as full as it gets."""
TRACES = 33
"""Traces a request of a hundred spans through a gateway: three spans each."""
WARM_UP = 3.0
BATCH = 100
RATES = (250, 500, 1000, 2000, 4000, 8000, None)
POINT_RATES = (1000, 5000, 10_000, None)
GATEWAY_RATES = (1000, 4000, None)
SMALL = {"MEMORY_MIB": "40", "SPIKE_MIB": "20"}
SENT = 50
SINK = """
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:${env:OTEL_STREAM_COLLECTOR_HTTP_PORT}"}}}
exporters: {nop: {}}
extensions: {health_check: {endpoint: "127.0.0.1:${env:OTEL_STREAM_COLLECTOR_HEALTH_PORT}"}}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
"""


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
    tell("as many spans as go into 40 MiB")
    with _agent(room / "small", programs, SMALL) as agent:
        found.limited = _step(agent, None, lambda: Payload("limited", BATCH))
    with _gateway(room / "gateway", programs) as gateway:
        for rate in GATEWAY_RATES:
            tell(f"spans through a gateway: {rate or 'as many as go'} a second")
            many = lambda: Payload("load", BATCH, traces=TRACES)  # noqa: E731 - one line says it
            found.gateway.append(_step(gateway, rate, many, seconds=GATEWAY_SECONDS))
        tell("the SDK's side")
        found.sender = {
            how.value: _sending(gateway, how)
            for how in (Compression.NoCompression, Compression.Gzip)
        }
    return found


def _sending(collector: Collector, how: Compression) -> float:
    """CPU seconds that the SDK's exporter needs for a span, in batches of 512."""
    exporter = OTLPSpanExporter(f"{collector.http}/v1/traces", compression=how)
    batch = spans("sender", 512, {})
    exporter.export(batch)
    began = time.process_time()
    for _ in range(SENT):
        exporter.export(batch)
    return (time.process_time() - began) / (SENT * len(batch))


def _step(
    agent: Collector,
    rate: float | None,
    make: Callable[[], Payload | Points],
    *,
    path: str = "/v1/traces",
    idle: bool = False,
    seconds: float = SECONDS,
) -> Step:
    with ExitStack() as held:
        load = Load(agent.ports["HTTP"], make, rate, path)
        if not idle:
            held.enter_context(load)
        time.sleep(WARM_UP)
        before, refused = load.spans, load.refused
        began = time.monotonic()
        with Usage(agent.process.pid) as usage:
            time.sleep(seconds)
            took = time.monotonic() - began
            acknowledged = load.spans - before
        return Step(
            rate, acknowledged / took, usage.cpu / took, usage.memory, load.refused - refused
        )


@contextmanager
def _agent(
    room: Path, programs: Programs, variables: dict[str, str] | None = None
) -> Iterator[Collector]:
    influxdb = InfluxDBServer(programs.influxd(), room / "influxdb")
    said = {"INFLUXDB_URL": influxdb.url, "INFLUXDB_DATABASE": DATABASE, **(variables or {})}
    with ExitStack() as held:
        said |= _towards(held.enter_context(_sink(room, programs)))
        agent = Collector(programs.collector(), room / "agent", variables=said)
        targets = {"agents": [f"127.0.0.1:{agent.ports['PROMETHEUS']}"]}
        prometheus = PrometheusServer(programs.prometheus(), room / "prometheus", targets)
        held.enter_context(influxdb.process)
        InfluxDB(influxdb.url, DATABASE).create()
        held.enter_context(prometheus.process)
        held.enter_context(agent.process)
        yield agent


@contextmanager
def _gateway(room: Path, programs: Programs) -> Iterator[Collector]:
    with _sink(room, programs) as sink:
        said = _towards(sink) | {"HASH_KEY": HASH_KEY, "UNDECIDED": "500000"}
        gateway = Collector(programs.collector(), room / "gateway", ["gateway.yaml"], said)
        with gateway.process:
            yield gateway


@contextmanager
def _sink(room: Path, programs: Programs) -> Iterator[Collector]:
    room.mkdir(parents=True)
    config = room / "sink.yaml"
    config.write_text(SINK)
    sink = Collector(programs.collector(), room / "sink", [str(config)], name="sink")
    with sink.process:
        yield sink


def _towards(sink: Collector) -> dict[str, str]:
    return {"TRACES_ENDPOINT": sink.http, "TRACES_INSECURE": "true"}


def main() -> int:
    """Measure, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), Programs(), lambda text: print(text, file=sys.stderr))
    write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
