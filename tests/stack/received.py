"""What an agent has written down of what a program sent."""

from __future__ import annotations

from stack.servers.collector import Collector
from tests.stack import otlp

__all__ = ["AWAY", "endpoint", "span_names"]

AWAY = {"TRACES": "nop", "TRACES_ENDPOINT": "http://127.0.0.1:1", "INFLUXDB": "nop"}
"""Variables of an agent that only writes JSON lines."""


def endpoint(agent: Collector, protocol: str, scheme: str = "http") -> str:
    """An agent's address for a protocol of `OTEL_EXPORTER_OTLP_PROTOCOL`."""
    port = agent.ports["GRPC" if protocol == "grpc" else "HTTP"]
    return f"{scheme}://127.0.0.1:{port}"


def span_names(agent: Collector) -> list[str]:
    """The names of the spans that it got, in the order in which it got them."""
    batches = otlp.lines(otlp.files(agent.data, "traces"))
    found = otlp.each(batches, "resourceSpans", "scopeSpans", "spans")
    return [span["name"] for _, _, span in found]
