"""Who fills the stack: the demo, services that speak otherwise, collectors that are not well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from otel_stream import semconv
from stack.made.programs import Programs
from stack.servers.collector import Collector
from stack.servers.running import Stack

ROOT = Path(__file__).parents[3]
DEMO = [str(ROOT / "examples" / "demo.py"), "--plain"]
SERVICE = [str(Path(__file__).with_name("service.py"))]
CALL = {
    semconv.OPERATION_NAME: "chat",
    semconv.PROVIDER_NAME: "filled-provider",
    semconv.REQUEST_MODEL: "filled-model",
    semconv.RESPONSE_MODEL: "filled-model-1",
    semconv.SERVER_ADDRESS: "127.0.0.1",
}
CHANNEL = {semconv.MESSAGING_SYSTEM: "whatsapp"}


class Services:
    """Programs of ours that run at once; the end of the block ends those that have not ended.

    Args:
        room: Each gets a folder there, named like the service.
    """

    def __init__(self, room: Path) -> None:
        self._room = room
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, what: list[str], to: Collector, **variables: str) -> None:
        """Start one that sends to a collector."""
        room = self._room / name
        room.mkdir(parents=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
        said = {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "instrumentation")]),
            "OTEL_EXPORTER_OTLP_ENDPOINT": to.http,
            "OTEL_METRIC_EXPORT_INTERVAL": "2000",
            "OTEL_SERVICE_NAME": name,
        }
        with (room / "out.txt").open("wb") as out:
            self._running[name] = subprocess.Popen(
                [sys.executable, *what],
                cwd=room,
                env=kept | said | variables,
                stdout=out,
                stderr=out,
            )

    def ended(self) -> dict[str, int]:
        """Wait for all; their statuses."""
        return {name: program.wait(100) for name, program in self._running.items()}

    def __enter__(self) -> Services:
        return self

    def __exit__(self, *error: object) -> None:
        for program in self._running.values():
            program.kill()
            program.wait()


def fill(collector: Collector) -> None:
    """Send what no service fills yet, by the plain API, with the names of `semconv`."""
    exporter = OTLPMetricExporter(f"{collector.http}/v1/metrics", timeout=5)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], Resource.create({"service.name": "filled"}))
    _delivered(provider.get_meter(semconv.SCOPE))
    provider.force_flush()
    provider.shutdown()


def _delivered(meter: Meter) -> None:
    cost = meter.create_counter(semconv.METRIC_COST, "USD")
    for source in ("provider", "partial", "estimated"):
        cost.add(0.25, {**CALL, semconv.USAGE_SOURCE: source})
    streams = meter.create_counter(semconv.METRIC_STREAMS, "{stream}")
    streams.add(3, {**CALL, semconv.OUTCOME: "completed"})
    dropped = meter.create_counter(semconv.METRIC_EVENTS_DROPPED, "{event}")
    dropped.add(2, {**CALL, semconv.DROP_REASON: "budget"})
    messages = meter.create_counter(semconv.METRIC_DELIVERY_MESSAGES, "{message}")
    latency = meter.create_histogram(semconv.METRIC_DELIVERY_LATENCY, "s")
    for status, count in {"accepted": 9, "sent": 9, "delivered": 8, "read": 5, "failed": 1}.items():
        messages.add(count, {**CALL, **CHANNEL, semconv.DELIVERY_STATUS: status})
        if status in ("delivered", "read"):
            latency.record(1.5, {**CALL, **CHANNEL, semconv.DELIVERY_STATUS: status})
    for name in (
        semconv.METRIC_DELIVERY_TIME_TO_FIRST_MESSAGE,
        semconv.METRIC_DELIVERY_TIME_TO_LAST_MESSAGE,
        semconv.METRIC_DELIVERY_QUEUE_WAIT,
    ):
        meter.create_histogram(name, "s").record(2.5, {**CALL, **CHANNEL})


class Unwell:
    """Two collectors that lose: one is always short of memory, the other has no database.

    Args:
        stack: The rest. Its Prometheus scrapes them too from now on.
        programs: Where the collector comes from.
        room: Their folder.
    """

    def __init__(self, stack: Stack, programs: Programs, room: Path) -> None:
        self._stack, self._programs, self._room = stack, programs, room
        self.short = self._collector("short", {"MEMORY_MIB": "129"})
        self.lost = self._collector("lost", {"INFLUXDB_DATABASE": "nowhere"})
        self._held = ExitStack()

    def _collector(self, name: str, variables: Mapping[str, str]) -> Collector:
        said = {
            "TRACES_ENDPOINT": self._stack.jaeger.otlp,
            "TRACES_INSECURE": "true",
            "INFLUXDB_URL": self._stack.influxdb.url,
            "INFLUXDB_INTERVAL": "2s",
        }
        room = self._room / name
        return Collector(
            self._programs.collector(), room, variables=said | dict(variables), name=name
        )

    def __enter__(self) -> Unwell:
        everybody = [self._stack.agent, self.short, self.lost]
        addresses = [f"127.0.0.1:{each.ports['TELEMETRY']}" for each in everybody]
        self._held.enter_context(self.short.process)
        self._held.enter_context(self.lost.process)
        listed = self._stack.prometheus.config / "targets" / "collectors.json"
        listed.write_text(json.dumps([{"targets": addresses}]))
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()
