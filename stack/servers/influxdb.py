"""InfluxDB 1."""

from __future__ import annotations

from pathlib import Path

from stack.servers import ports
from stack.servers.process import Process

__all__ = ["InfluxDBServer"]


class InfluxDBServer:
    """One InfluxDB.

    Args:
        program: The server.
        room: Its folder.
        port: Where it listens; None to have one chosen.
    """

    def __init__(self, program: Path, room: Path, port: int | None = None) -> None:
        chosen, rpc = ports.free(2)
        self.port = port or chosen
        self.process = Process(
            "influxdb",
            [str(program), "run", "-config", "/dev/null"],
            room=room,
            ready=f"http://127.0.0.1:{self.port}/ping",
            env={
                "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{rpc}",
                "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
                "INFLUXDB_HTTP_LOG_ENABLED": "false",
                "INFLUXDB_META_DIR": str(room / "meta"),
                "INFLUXDB_DATA_DIR": str(room / "data"),
                "INFLUXDB_DATA_WAL_DIR": str(room / "wal"),
                "INFLUXDB_REPORTING_DISABLED": "true",
                "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            },
        )

    @property
    def url(self) -> str:
        """The API."""
        return f"http://127.0.0.1:{self.port}"
