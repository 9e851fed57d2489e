"""The demo, run against an agent; what it sent stands in its own files too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from stack.servers.running import Stack
from tests.stack import otlp

__all__ = ["Sent", "send_the_demo"]

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


class Sent(NamedTuple):
    """What a process sent, by its own account."""

    service: str
    spans: dict[tuple[str, str], dict[str, Any]]
    points: dict[tuple[str, frozenset[tuple[str, Any]], str], otlp.Point]
    logs: list[dict[str, Any]]
    files: Path

    @property
    def streams(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The spans of streams."""
        return {
            key: span
            for key, span in self.spans.items()
            if "otel_stream.outcome" in span["attributes"]
        }


def send_the_demo(running: Stack, room: Path, every: float) -> Sent:
    """Run the demo to its end: streams with every outcome, and a message with its deliveries."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    env |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": running.agent.http,
        "OTEL_SERVICE_NAME": "demo",
        "OTEL_METRIC_EXPORT_INTERVAL": str(int(every * 1000)),
        "OTEL_STREAM_EVENTS": "both",
    }
    done = subprocess.run(
        [sys.executable, str(DEMO), "--plain"], cwd=room, env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    data = room / "otel-stream-data"
    return Sent(
        "demo",
        otlp.spans(otlp.lines(otlp.files(data, "traces"))),
        otlp.points(otlp.lines(otlp.files(data, "metrics"))),
        otlp.log_records(otlp.lines(otlp.files(data, "logs"))),
        data,
    )
