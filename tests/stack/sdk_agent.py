"""A real collector as the agent beside a program: it keeps what it gets in a file."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BINARY = os.environ.get("OTEL_STREAM_COLLECTOR", "")
NEEDED = pytest.mark.skipif(
    not BINARY, reason="OTEL_STREAM_COLLECTOR names no collector to test with"
)
CONFIG = """
extensions:
  bearertokenauth: {{token: {token}}}
receivers:
  otlp:
    protocols:
      http: {{endpoint: "127.0.0.1:{http}", {options}}}
      grpc: {{endpoint: "127.0.0.1:{grpc}", {options}}}
exporters:
  file: {{path: "{folder}/out.jsonl", append: true, flush_interval: 50ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  extensions: [{extensions}]
  pipelines:
    traces: {{receivers: [otlp], exporters: [file]}}
    metrics: {{receivers: [otlp], exporters: [file]}}
    logs: {{receivers: [otlp], exporters: [file]}}
"""


class Agent:
    """One collector, which can be killed and started again on its ports.

    Args:
        folder: For its configuration and what it gets.
        token: The bearer token that it wants; "" for none.
        certificate: Files of a certificate and its key, for TLS.
    """

    def __init__(
        self, folder: Path, *, token: str = "", certificate: tuple[Path, Path] | None = None
    ) -> None:
        self.ports = {"http/protobuf": free_port(), "grpc": free_port()}
        self._scheme = "https" if certificate else "http"
        self._out = folder / "out.jsonl"
        self._config = folder / "agent.yaml"
        options = ["auth: {authenticator: bearertokenauth}"] if token else []
        if certificate:
            options.append(f"tls: {{cert_file: {certificate[0]}, key_file: {certificate[1]}}}")
        text = CONFIG.format(
            http=self.ports["http/protobuf"],
            grpc=self.ports["grpc"],
            folder=folder,
            token=token or "unused",
            options=", ".join(options),
            extensions="bearertokenauth" if token else "",
        )
        self._config.write_text(text)
        self.start()

    def url(self, protocol: str, scheme: str = "") -> str:
        """Its endpoint."""
        return f"{scheme or self._scheme}://127.0.0.1:{self.ports[protocol]}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [BINARY, "--config", str(self._config)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 30
        while not all(map(listens, self.ports.values())):
            assert self._process.poll() is None, "the collector does not start"
            assert time.monotonic() < until, "the collector does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it, as the system does when memory is short."""
        self._process.kill()
        self._process.wait()

    @property
    def spans(self) -> list[str]:
        """The names of the spans that it got."""
        return [
            span["name"]
            for line in self._lines()
            for resource in line.get("resourceSpans", ())
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def _lines(self) -> Iterator[Any]:
        if self._out.exists():
            for line in self._out.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    yield json.loads(line)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
