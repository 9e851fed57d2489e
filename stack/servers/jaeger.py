"""Jaeger, with its spans on the disk, so that a restart keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stack.servers import ports
from stack.servers.collector import CONFIG
from stack.servers.process import Process

__all__ = ["JaegerServer"]

_PORTS = ("GRPC", "HTTP", "QUERY", "QUERY_GRPC", "HEALTH", "TELEMETRY")


class JaegerServer:
    """One Jaeger.

    Args:
        program: The server.
        room: Its folder.
        numbers: Ports by their names; those that are missing are chosen.
    """

    def __init__(self, program: Path, room: Path, numbers: Mapping[str, int] | None = None) -> None:
        chosen = dict(zip(_PORTS, ports.free(len(_PORTS)), strict=True))
        self.ports = chosen | dict(numbers or {})
        said = {f"JAEGER_{name}_PORT": str(number) for name, number in self.ports.items()}
        self.process = Process(
            "jaeger",
            [str(program), "--config", str(CONFIG / "jaeger" / "jaeger.yaml")],
            room=room,
            ready=f"http://127.0.0.1:{self.ports['QUERY']}/api/services",
            env={**said, "JAEGER_DATA": str(room / "data")},
            patience=3.0,  # it may wait ten seconds for nothing; what it has is on the disk
        )

    @property
    def url(self) -> str:
        """The page and the query API."""
        return f"http://127.0.0.1:{self.ports['QUERY']}"

    @property
    def otlp(self) -> str:
        """Where traces go."""
        return f"http://127.0.0.1:{self.ports['HTTP']}"
