"""A collector with one of the configurations of collector-config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.servers import ports
from stack.servers.process import Process

__all__ = ["CONFIG", "Collector"]

CONFIG = Path(__file__).parents[2] / "collector-config"

_PORTS = {
    "GRPC": 4317, "HTTP": 4318, "PROMETHEUS": 8889, "TELEMETRY": 8888, "HEALTH": 13133,
    "INFLUXDB": 8890,
}  # fmt: skip


class Collector:
    """An agent or a gateway.

    Args:
        program: The collector.
        room: Its folder, also of its queues and JSON lines.
        configs: Names of files in collector-config, the first agent.yaml or gateway.yaml.
        variables: `OTEL_STREAM_COLLECTOR_` variables without that prefix, beside the ports and
            the folder.
        numbers: Ports by their names; those that are missing are chosen.
    """

    def __init__(
        self,
        program: Path,
        room: Path,
        configs: Sequence[str] = ("agent.yaml",),
        variables: Mapping[str, str] | None = None,
        numbers: Mapping[str, int] | None = None,
        name: str = "agent",
    ) -> None:
        chosen = dict(zip(_PORTS, ports.free(len(_PORTS)), strict=True))
        self.ports = chosen | dict(numbers or {})
        self.data = room / "data"
        said = {f"{port}_PORT": str(number) for port, number in self.ports.items()}
        said |= {"DATA": str(self.data), **(variables or {})}
        command = [str(program)]
        for config in configs:
            command += ["--config", str(CONFIG / config)]
        self.process = Process(
            name,
            command,
            room=room,
            ready=f"http://127.0.0.1:{self.ports['HEALTH']}/",
            env={f"OTEL_STREAM_COLLECTOR_{key}": value for key, value in said.items()},
        )

    @property
    def http(self) -> str:
        """Where OTLP over HTTP goes."""
        return f"http://127.0.0.1:{self.ports['HTTP']}"

    @property
    def grpc(self) -> str:
        """Where OTLP over gRPC goes."""
        return f"http://127.0.0.1:{self.ports['GRPC']}"

    @property
    def metrics(self) -> str:
        """What Prometheus scrapes."""
        return f"http://127.0.0.1:{self.ports['PROMETHEUS']}/metrics"

    @property
    def telemetry(self) -> str:
        """What the collector says of itself."""
        return f"http://127.0.0.1:{self.ports['TELEMETRY']}/metrics"
