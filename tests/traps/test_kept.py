"""What is kept of a stream, and what leaves the process: memory, and OTLP as others read it."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from pathlib import Path

import otel_stream
from otel_stream import runtime
from otel_stream.call import CallInfo
from otel_stream.delivery.send import Message, Send
from otel_stream.testing import Captured
from otel_stream_agno.facts import OPERATION, PROVIDER
from otel_stream_agno_http.exchange import RunExchange
from otel_stream_agno_http.run import AskedRun
from tests.agno_http.streams import agent, server_sent

EVENTS = 20_000
HEADERS = {"content-type": "text/event-stream"}


def told(exchange: RunExchange, pieces: list[bytes]) -> None:
    """Tell of bytes as they come."""
    for piece in pieces:
        now = time.perf_counter()
        exchange.asks(now)
        exchange.arrived(piece, now, now)


def test_the_chunks_of_a_run_are_not_kept(captured: Captured) -> None:
    """Of a run's events only figures are kept, however many come (Trap 6)."""
    [_, delta] = server_sent(agent.says("a word"))
    info = CallInfo(operation=OPERATION, provider=PROVIDER)
    exchange = RunExchange(runtime.current(), AskedRun(runtime.current(), info))
    exchange.responded(200, HEADERS)
    told(exchange, [*server_sent([agent.start()]), *[delta] * 2_000])
    tracemalloc.start(10)
    try:
        told(exchange, [delta] * EVENTS)
        here = tracemalloc.Filter(True, __file__, all_frames=True)  # Others are at work too.
        traces = tracemalloc.take_snapshot().filter_traces([here]).traces
        kept = sum(trace.size for trace in traces)
    finally:
        tracemalloc.stop()
    told(exchange, server_sent([agent.end()]))
    exchange.finished(0.0, time.perf_counter())

    assert kept < EVENTS  # not a byte for each
    [span] = captured.spans("invoke_agent")
    assert (span.attributes or {})["otel_stream.content.size"] == len("a word") * (EVENTS + 2_000)


def test_what_is_exported_is_otlp(tmp_path: Path) -> None:
    """Ids have the length that they must have, kinds are numbers, and spans last (Trap 22)."""
    otel_stream.instrument(only=["openai"], data_dir=str(tmp_path))
    try:
        send = Send(Message(recipient="5511999990000", text="Hello"))
        time.sleep(0.001)
        send.accepted("BAE5F00D")
        assert otel_stream.flush()
    finally:
        otel_stream.uninstrument()
    exported = json.loads((tmp_path / "traces.jsonl").read_text())
    [span] = exported["resourceSpans"][0]["scopeSpans"][0]["spans"]

    assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
    assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
    assert span["kind"] == 3  # SPAN_KIND_CLIENT
    assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
