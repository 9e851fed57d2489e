"""The larger set-up: an agent, two gateways, Jaeger."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from stack.made.programs import Programs
from stack.servers.collector import Collector
from stack.servers.jaeger import JaegerServer

__all__ = ["Fleet"]

HASH_KEY = "a key for this machine's fleet only"


class Fleet:
    """One agent that sends to two gateways, which send to one Jaeger.

    Args:
        room: Where each server has its folder.
        programs: Where they come from.
        variables: More variables of the gateways, without the prefix `OTEL_STREAM_COLLECTOR_`.
    """

    def __init__(
        self, room: Path, programs: Programs, variables: Mapping[str, str] | None = None
    ) -> None:
        self.jaeger = JaegerServer(programs.jaeger(), room / "jaeger")
        plain = {"TRACES_ENDPOINT": self.jaeger.otlp, "TRACES_INSECURE": "true"}
        said = plain | {"HASH_KEY": HASH_KEY} | dict(variables or {})
        self.gateways = [
            Collector(programs.collector(), room / name, ["gateway.yaml"], said, name=name)
            for name in ("gateway-1", "gateway-2")
        ]
        towards = {
            f"GATEWAY_{number}": f"127.0.0.1:{gateway.ports['GRPC']}"
            for number, gateway in enumerate(self.gateways, 1)
        }
        self.agent = Collector(
            programs.collector(),
            room / "agent",
            ["agent.yaml", "to-gateways.yaml"],
            towards | {"GATEWAY_INSECURE": "true", "INFLUXDB": "nop"},
        )
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Fleet:
        with contextlib.ExitStack() as starting:
            gateways = [gateway.process for gateway in self.gateways]
            for process in (self.jaeger.process, *gateways, self.agent.process):
                starting.enter_context(process)
            self._held = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()
