"""All of it together: an agent, Jaeger, Prometheus and InfluxDB."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from otel_stream.pipeline.influxdb import InfluxDB
from stack.made.programs import Programs
from stack.servers.collector import Collector
from stack.servers.influxdb import InfluxDBServer
from stack.servers.jaeger import JaegerServer
from stack.servers.process import Process
from stack.servers.prometheus import PrometheusServer

__all__ = ["BACK_ENDS", "DATABASE", "Stack"]

DATABASE = "otel_stream"
BACK_ENDS = ("jaeger", "prometheus", "influxdb")
_OWN = {"GRPC": "grpc", "HTTP": "http", "PROMETHEUS": "metrics", "TELEMETRY": "telemetry",
        "HEALTH": "health"}  # fmt: skip
_NOT_RUN = Path(os.devnull)


class Stack:
    """Starts in the order in which the data goes back, and stops in the order in which it goes.

    Args:
        room: Where each server has its folder.
        programs: Where they come from.
        variables: More variables of the agent, without the prefix `OTEL_STREAM_COLLECTOR_`.
        every: Seconds between scrapes.
        numbers: Ports by the names of `addresses`; those that are missing are chosen.
        only: Which back ends run. The agent always does, and leaves out the others.
    """

    def __init__(
        self,
        room: Path,
        programs: Programs | None = None,
        variables: Mapping[str, str] | None = None,
        every: float = 15.0,
        numbers: Mapping[str, int] | None = None,
        only: Collection[str] = BACK_ENDS,
    ) -> None:
        programs, given = programs or Programs(), numbers or {}
        self.only = only
        self.jaeger = JaegerServer(
            programs.jaeger() if "jaeger" in only else _NOT_RUN,
            room / "jaeger",
            {"QUERY": given["jaeger"]} if "jaeger" in given else None,
        )
        self.influxdb = InfluxDBServer(
            programs.influxd() if "influxdb" in only else _NOT_RUN,
            room / "influxdb",
            given.get("influxdb"),
        )
        self.agent = Collector(
            programs.collector(),
            room / "agent",
            variables=self._variables(every) | dict(variables or {}),
            numbers={own: given[name] for own, name in _OWN.items() if name in given},
        )
        targets = {
            "agents": [f"127.0.0.1:{self.agent.ports['PROMETHEUS']}"],
            "collectors": [f"127.0.0.1:{self.agent.ports['TELEMETRY']}"],
        }
        self.prometheus = PrometheusServer(
            programs.prometheus() if "prometheus" in only else _NOT_RUN,
            room / "prometheus",
            targets,
            given.get("prometheus"),
            every=every,
        )
        self._held = contextlib.ExitStack()

    @property
    def processes(self) -> list[Process]:
        """What runs, in the order in which it starts."""
        servers = (self.prometheus, self.influxdb, self.jaeger)
        back_ends = [server.process for server in servers if server.process.name in self.only]
        return [*back_ends, self.agent.process]

    def __enter__(self) -> Stack:
        with contextlib.ExitStack() as starting:
            for process in self.processes:
                if process is self.agent.process and "influxdb" in self.only:
                    InfluxDB(self.influxdb.url, DATABASE).create()
                starting.enter_context(process)
            self._held = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _variables(self, every: float) -> dict[str, str]:
        """Where the agent sends to."""
        return {
            "TRACES": "otlp_http" if "jaeger" in self.only else "nop",
            "TRACES_ENDPOINT": self.jaeger.otlp,
            "TRACES_INSECURE": "true",
            "INFLUXDB": "influxdb/v1" if "influxdb" in self.only else "nop",
            "INFLUXDB_URL": self.influxdb.url,
            "INFLUXDB_DATABASE": DATABASE,
            "INFLUXDB_INTERVAL": f"{every:g}s",
        }
