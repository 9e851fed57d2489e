"""The demo, run against an agent; what it sent stands in its own files too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from otel_stream.flat.reader import Reader
from stack.made.command import CommandError
from stack.stopping import Stop

__all__ = ["SERVICE", "Sent", "send"]

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
SERVICE = "demo"
_PATIENCE = 10.0
"""Seconds that the demo has to put the terminal right and to end."""


class Sent:
    """The streams of the demo, by its own account.

    Args:
        streams: Flat, as `otel-stream streams` tells them.
    """

    def __init__(self, streams: list[dict[str, Any]]) -> None:
        self.streams = sorted(streams, key=lambda stream: str(stream["start"]))

    @property
    def span_ids(self) -> set[str]:
        """Of all streams."""
        return {stream["span_id"] for stream in self.streams}

    @property
    def trace_ids(self) -> set[str]:
        """Of all streams."""
        return {stream["trace_id"] for stream in self.streams}

    @property
    def outcomes(self) -> dict[str, int]:
        """How many streams ended how."""
        return dict(Counter(stream["outcome"] for stream in self.streams))

    @property
    def first_tokens(self) -> int:
        """How many streams had one."""
        return sum("time_to_first_token" in stream for stream in self.streams)

    @property
    def telling(self) -> dict[str, Any]:
        """The stream that shows most: one that stalled, if one did."""
        return max(self.streams, key=lambda stream: (stream["stalls"], stream["chunks"]))


def send(endpoint: str, room: Path) -> Sent:
    """Run the demo to its end. It prints as it always does, and leaves its files in `room`.

    Raises:
        CommandError: It failed.
    """
    room.mkdir(parents=True, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    env |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SERVICE_NAME": SERVICE,
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    }
    process = subprocess.Popen([sys.executable, str(DEMO)], cwd=room, env=env)
    try:
        status = process.wait()
    except Stop as stop:
        _end(process, stop)
        raise
    if status:
        raise CommandError(f"the demo ended with status {status}")
    lines = (room / "otel-stream-data" / "traces.jsonl").read_bytes().splitlines(keepends=True)
    reader = Reader()
    return Sent([stream for line in lines for stream in reader.feed(line)[0]])


def _end(process: subprocess.Popen[bytes], stop: Stop) -> None:
    """Let it end as Ctrl-C ends it. On a terminal that has reached it too."""
    if stop.number != signal.SIGINT:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
