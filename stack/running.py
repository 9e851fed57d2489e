"""All of it together: an agent, Jaeger, Prometheus and InfluxDB."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from otel_stream.pipeline.influxdb import InfluxDB
from stack.collector import Collector
from stack.influxdb import InfluxDBServer
from stack.jaeger import JaegerServer
from stack.programs import Programs
from stack.prometheus import PrometheusServer

__all__ = ["Stack"]

DATABASE = "otel_stream"


class Stack:
    """Starts in the order in which the data goes back, and stops in the order in which it goes.

    Args:
        room: Where each server has its folder.
        programs: Where they come from.
        variables: More variables of the agent, without the prefix `OTEL_STREAM_`.
        every: Seconds between scrapes.
    """

    def __init__(
        self,
        room: Path,
        programs: Programs | None = None,
        variables: Mapping[str, str] | None = None,
        every: float = 15.0,
    ) -> None:
        programs = programs or Programs()
        self.jaeger = JaegerServer(programs.jaeger(), room / "jaeger")
        self.influxdb = InfluxDBServer(programs.influxd(), room / "influxdb")
        said = {
            "TRACES_ENDPOINT": self.jaeger.otlp,
            "TRACES_INSECURE": "true",
            "INFLUXDB_URL": self.influxdb.url,
            "INFLUXDB_DATABASE": DATABASE,
            "INFLUXDB_INTERVAL": f"{every:g}s",
        }
        self.agent = Collector(
            programs.collector(), room / "agent", variables=said | dict(variables or {})
        )
        targets = {
            "agents": [f"127.0.0.1:{self.agent.ports['PROMETHEUS']}"],
            "collectors": [f"127.0.0.1:{self.agent.ports['TELEMETRY']}"],
        }
        self.prometheus = PrometheusServer(
            programs.prometheus(), room / "prometheus", targets, every=every
        )
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Stack:
        with contextlib.ExitStack() as starting:
            starting.enter_context(self.prometheus.process)
            starting.enter_context(self.influxdb.process)
            starting.enter_context(self.jaeger.process)
            InfluxDB(self.influxdb.url, DATABASE).create()
            starting.enter_context(self.agent.process)
            self._held = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()
