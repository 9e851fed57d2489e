"""A program whose streamer is hooked by class, as one hooks somebody else's: `hooked.py WAY`.

`plain` hooks nothing; `run` the generator of events, `events` the parser below it, `both` both. The
loop is left at the run's end, and nobody closes a generator. Prints the text, and what was traced.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import otel_stream
from otel_stream.testing import Captured, ProviderServer
from tests.answering.service import AgentClient
from tests.answering.wires import run

TEXT = "Why do they code?\n\nBecause of `}{`."


def content(event: dict[str, Any]) -> str | None:
    """The text of an event."""
    return event["content"] if event["event"] == "RunResponseContent" else None


def ends(event: dict[str, Any]) -> bool:
    """Whether the answer is whole with it."""
    return bool(event["event"] == "RunCompleted")


def hook(name: str) -> None:
    """Have what this method of the class returns traced, with what is known of its items."""
    original: Callable[..., Any] = getattr(AgentClient, name)

    def hooked(self: AgentClient, *args: Any) -> Any:
        return otel_stream.trace_stream(
            original(self, *args), operation=name, read=content, terminal=ends
        )

    setattr(AgentClient, name, hooked)


async def read(client: AgentClient) -> str:
    """Leave the loop at the end, and close nothing."""
    said = ""
    async for event in client.create_streaming_run("/playground/agents/genie/runs", {}):
        said += content(event) or ""
        if ends(event):
            break
    return said


def main(way: str) -> None:
    """Read one run."""
    captured = Captured()
    otel_stream.instrument(
        only=["agno_http"],
        tracer_provider=captured.tracer_provider,
        meter_provider=captured.meter_provider,
    )
    hooks = {"run": ["create_streaming_run"], "events": ["stream_events"]}
    for name in hooks.get(way, [each for one in hooks.values() for each in one if way == "both"]):
        hook(name)
    with ProviderServer() as agents:
        agents.handler = lambda request: run(TEXT, first_after=0.05)
        said = asyncio.run(read(AgentClient(f"http://127.0.0.1:{agents.port}")))
    outcomes = {
        span.name: (span.attributes or {}).get("otel_stream.outcome") for span in captured.spans()
    }
    lag = [
        (span.attributes or {})["otel_stream.consumer.lag"]
        for span in captured.spans()
        if "otel_stream.consumer.lag" in (span.attributes or {})
    ]
    print(json.dumps({"said": said, "outcomes": outcomes, "lag": lag}))


if __name__ == "__main__":
    main(sys.argv[1])
