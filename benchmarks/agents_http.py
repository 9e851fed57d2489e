"""What a run over HTTP costs: `agents_http.py REPEATS`, run in our own environment.

For each of the two wires, prints one line of JSON: the processor time added for an event that comes
as one chunk from the network, parsed, read and recorded (us); and for one that comes in pieces of
1,000 bytes. Then the time for runs of growing size (MB, ms), of which the parser alone, to show
that it grows as the run does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

import otel_stream
from otel_stream import runtime
from otel_stream.call import CallInfo
from otel_stream_agno.facts import OPERATION, PROVIDER
from otel_stream_agno_http.exchange import RunExchange
from otel_stream_agno_http.run import AskedRun
from otel_stream_agno_http.wire import WireParser

EVENTS = 4_000
SIZES = (0.25, 0.5, 1.0, 2.0, 4.0)
HEADERS = {"content-type": "text/event-stream; charset=utf-8"}
IDS = {"run_id": "daa0dff1-9582-4be4-8a30-f12266681752", "session_id": "s-0123456789"}
clock = time.process_time


def event(name: str, **fields: str) -> dict[str, object]:
    """An event with the ids that all have."""
    named = {"created_at": 1795249268, "event": name, "agent_id": "genie", "agent_name": "Genie"}
    return {**named, **IDS, **fields}


def objects(event: dict[str, object]) -> bytes:
    """As version 1.7 sends it."""
    return json.dumps(event, indent=2).encode()


def server_sent(event: dict[str, object]) -> bytes:
    """As 2.x and 3.x send it."""
    return f"event: {event['event']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


WIRES: dict[str, tuple[Callable[[dict[str, object]], bytes], str, str]] = {
    "objects": (objects, "RunResponseContent", "thinking"),
    "server-sent events": (server_sent, "RunContent", "reasoning_content"),
}


def run_of(wire: str, deltas: int) -> list[bytes]:
    """A run's chunks as a server sends them: an event each."""
    made, name, thought = WIRES[wire]
    content = {"content": " a word", "content_type": "str", thought: ""}
    delta = made(event(name, **content))
    end = made(event("RunCompleted", content="", content_type="str"))
    return [made(event("RunStarted", model="gpt-4o")), *[delta] * deltas, end]


def pieces(body: bytes, size: int) -> list[bytes]:
    """The body cut every so many bytes."""
    return [body[at : at + size] for at in range(0, len(body), size)]


def recorded(chunks: Iterable[bytes]) -> float:
    """Seconds that a run takes that is told in these chunks."""
    info = CallInfo(operation=OPERATION, provider=PROVIDER)
    exchange = RunExchange(runtime.current(), AskedRun(runtime.current(), info))
    exchange.responded(200, HEADERS)
    asks, arrived, now = exchange.asks, exchange.arrived, time.perf_counter
    begun = clock()
    for chunk in chunks:
        started = now()
        asks(started)
        arrived(chunk, started, now())
    took = clock() - begun
    exchange.finished(now(), now())
    return took


def parsed(chunks: Iterable[bytes]) -> float:
    """Seconds that the parser alone takes."""
    parser = WireParser()
    begun = clock()
    for chunk in chunks:
        parser.feed(chunk)
    return clock() - begun


def main(repeats: int) -> None:
    """Both wires."""
    otel_stream.instrument(tracer_provider=TracerProvider(), meter_provider=MeterProvider())
    for wire in WIRES:
        chunks = run_of(wire, EVENTS)
        cut = pieces(b"".join(chunks), 1_000)
        whole, split = (
            min(recorded(given) for _ in range(repeats)) / len(chunks) * 1e6
            for given in (chunks, cut)
        )
        per_event = len(b"".join(chunks)) / len(chunks)
        grown: dict[str, dict[str, float]] = {}
        for size in SIZES:
            body = run_of(wire, int(size * 1e6 / per_event))
            body = pieces(b"".join(body), 1_000)
            alone = min(parsed(body) for _ in range(repeats)) * 1e3
            all_told = min(recorded(body) for _ in range(repeats)) * 1e3
            grown[f"{size:g} MB"] = {"parser ms": round(alone, 2), "all ms": round(all_told, 2)}
        figures = {"event us": round(whole, 3), "event in pieces us": round(split, 3)}
        print(json.dumps({"wire": wire, **figures, **grown}), flush=True)
    otel_stream.uninstrument()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
