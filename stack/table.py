"""What one can open and paste once a stack runs.

Of Jaeger and Prometheus that is their API: Jaeger's Go module has no page, and that of Debian's
Prometheus needs packages with scripts, which are not unpacked beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from stack.servers.running import DATABASE, Stack

__all__ = ["addresses", "ask_influxdb", "otel_stream", "quoted"]


def addresses(stack: Stack, room: Path, *, kept: bool) -> Iterator[tuple[str, str]]:
    """Labels and lines.

    Args:
        stack: Which one.
        room: Its folder.
        kept: Whether that stays.
    """
    agent = stack.agent
    yield "send here", f"export OTEL_EXPORTER_OTLP_ENDPOINT={agent.http}"
    yield "", f"or {agent.grpc} with OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
    if "jaeger" in stack.only:
        yield "Jaeger", f"{stack.jaeger.url}/api/services (this build has no page)"
    if "prometheus" in stack.only:
        yield "Prometheus", f"{stack.prometheus.url}/api/v1/query?query=otel_stream_streams_total"
    if "influxdb" in stack.only:
        yield "InfluxDB", ask_influxdb(stack.influxdb.url, "SHOW FIELD KEYS")
    yield "JSON lines", f"{otel_stream()} streams {quote(str(agent.data))}"
    yield "agent", f"{agent.metrics} (the services' figures)"
    yield "", f"{agent.telemetry} (its own)"
    yield "", f"http://127.0.0.1:{agent.ports['HEALTH']}/ (its health)"
    yield "check", _check(stack)
    yield "data", f"{quote(str(room))} ({'stays' if kept else 'removed at the end'})"


def _check(stack: Stack) -> str:
    """The command that follows a stream through all of it."""
    agent = stack.agent
    said = [f"--endpoint {agent.http}", f"--jsonl {quote(str(agent.data))}"]
    said += [f"--agent-telemetry {agent.telemetry}"]
    back_ends = (
        ("jaeger", stack.jaeger.url),
        ("prometheus", stack.prometheus.url),
        ("influxdb", stack.influxdb.url),
    )
    said += [f"--{name} {url}" for name, url in back_ends if name in stack.only]
    return f"{otel_stream()} pipeline check {' '.join(said)}"


def ask_influxdb(url: str, statement: str) -> str:
    """The command that asks InfluxDB something."""
    return f"curl -sG {url}/query -d db={DATABASE} --data-urlencode {quoted(f'q={statement}')}"


def quoted(text: str) -> str:
    """A text for a shell, with the quotes that leave it readable."""
    if "'" not in text or any(sign in text for sign in "$`!\\"):
        return quote(text)
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'


def otel_stream() -> str:
    """The command of this environment."""
    command = Path(sys.executable).with_name("otel-stream")
    if not command.exists():
        return f"{quote(sys.executable)} -m otel_stream"
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    return quote(str(command))
