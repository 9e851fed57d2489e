"""Ten thousand streams: nothing is left of them, and nothing is miscounted."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk

import otel_stream
from otel_stream import runtime
from otel_stream.call import CallInfo
from otel_stream.testing import Captured, chat_text
from otel_stream.trace import Trace
from otel_stream.watcher import watcher
from otel_stream_openai.chat import ChatReader
from tests.sdk_http import http

MANY = 10_000
THROUGH_THE_SDK = 500
SSE = {"content-type": "text/event-stream"}
OURS = Path(otel_stream.__file__).parent / "*"
WAYS = ["completed", "closed_early", "error", "abandoned"]


class Mishap(Exception):
    """The provider's."""


def words(count: int) -> Iterator[str]:
    """A stream that breaks down after `count` words, and before if nobody reads on."""
    yield from itertools.repeat("word ", count)
    raise Mishap


def read_one(number: int) -> int:
    """Read a stream in one of four ways. Returns how many chunks were read."""
    count = 1 + number % 5
    match WAYS[number % 4]:
        case "completed":
            return sum(1 for _ in otel_stream.trace_stream(["word "] * count))
        case "closed_early":
            return sum(1 for _ in itertools.islice(otel_stream.trace_stream(words(9)), count))
        case "error":
            with pytest.raises(Mishap):
                list(otel_stream.trace_stream(words(count)))
            return count
        case _:
            next(otel_stream.trace_stream(words(9)))  # type: ignore[call-overload]
            return 1


async def awords(number: int, barrier: asyncio.Barrier) -> AsyncIterator[str]:
    for _ in range(1 + number % 5):
        yield "word "
    await barrier.wait()
    if WAYS[number % 4] == "error":
        raise Mishap


async def aread_one(number: int, barrier: asyncio.Barrier) -> int:
    """Read a stream to its end, where it waits for all the others."""
    read = 0
    try:
        async for _ in otel_stream.trace_stream(awords(number, barrier)):
            read += 1
    except Mishap:
        pass
    return read


def counted(captured: Captured, name: str) -> int:
    return sum(point.count for point in captured.metrics()[name])


def outcomes_by_metric(captured: Captured) -> dict[str, float]:
    points = captured.metrics()["otel_stream.streams"]
    return {p.attributes["otel_stream.outcome"]: p.value or 0 for p in points}


def is_exact(captured: Captured, reads: list[int]) -> None:
    """Every stream and every chunk is counted once, in spans and in metrics."""
    spans = captured.wait_for_spans(len(reads), timeout=30)
    by_span = Counter(span.attributes["otel_stream.outcome"] for span in spans)

    assert sum(span.attributes["otel_stream.chunk.count"] for span in spans) == sum(reads)
    assert outcomes_by_metric(captured) == by_span
    assert counted(captured, "gen_ai.client.operation.duration") == len(reads)
    per_chunk = counted(captured, "gen_ai.client.operation.time_per_output_chunk")
    assert per_chunk == sum(reads) - len(reads)
    assert captured.point("otel_stream.streams.active").value == 0
    assert watcher.open == []


def test_ten_thousand_in_threads(captured: Captured) -> None:
    """Ten thousand streams in threads, left in four ways, are counted exactly."""
    with ThreadPoolExecutor(32) as threads:
        reads = list(threads.map(read_one, range(MANY)))

    is_exact(captured, reads)
    assert set(outcomes_by_metric(captured).values()) == {MANY / len(WAYS)}


async def test_ten_thousand_in_tasks(captured: Captured) -> None:
    """Ten thousand streams in tasks, all of them open at once, are counted exactly."""
    barrier = asyncio.Barrier(MANY)
    reads = await asyncio.gather(*(aread_one(number, barrier) for number in range(MANY)))

    is_exact(captured, reads)


def test_made_here_and_read_there(captured: Captured) -> None:
    """Streams that are made in one thread and read in others are counted exactly."""
    streams = [otel_stream.trace_stream(["word "] * (1 + n % 5)) for n in range(MANY // 10)]
    with ThreadPoolExecutor(32) as threads:
        reads = list(threads.map(lambda stream: sum(1 for _ in stream), streams))

    is_exact(captured, reads)


def census() -> Counter[str]:
    gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects())


def test_nothing_is_left(captured: Captured, eventually: Callable[..., bool]) -> None:
    """Of thousands of streams, whichever way they ended, no object and no thread is left."""
    for number in range(400):
        read_one(number)
    captured.clear()
    threads, before = set(threading.enumerate()), census()
    streams = MANY // 4
    for number in range(streams):
        read_one(number)
    assert eventually(lambda: not watcher.open)
    captured.clear()
    grown = census() - before

    assert set(threading.enumerate()) - threads == set()
    assert {name: count for name, count in grown.items() if count > streams / 10} == {}


def test_memory_of_ended_streams(captured: Captured, eventually: Callable[..., bool]) -> None:
    """Memory does not grow with the number of streams that have been."""
    streams = 1_000
    tracemalloc.start(10)
    try:
        held = []
        for count in (600, streams):  # analytics keeps the last 500
            for number in range(count):
                read_one(number)
            assert eventually(lambda: not watcher.open)
            captured.clear()
            gc.collect()
            held.append(held_by_us())
        kept = held[1] - held[0]
    finally:
        tracemalloc.stop()

    assert kept < streams * 50  # a stream that leaked would keep thousands


@pytest.mark.otel_stream(chunk_events="off")
def test_memory_of_a_long_stream(captured: Captured) -> None:
    """Of 20,000 chunks of the SDK 16 bytes each are kept up to 1,000, and none beyond."""
    data = {"id": "1", "model": "m", "created": 0, "object": "chat.completion.chunk"}
    choice = {"index": 0, "delta": {"content": "word"}, "finish_reason": None}
    chunk = construct_type(value={**data, "choices": [choice]}, type_=ChatCompletionChunk)
    trace = Trace(runtime.current(), CallInfo(operation="chat", provider="p"), ChatReader())
    kept = [kept_by(trace, chunk, count) for count in (50, 900, 100, 19_000)]
    trace.recorder.close()

    assert kept[1] <= 900 * 16
    assert kept[3] <= 8_192  # the buckets of the quantiles
    assert captured.span().attributes["otel_stream.chunk.count"] == 20_050


def kept_by(trace: Trace, chunk: Any, count: int) -> int:
    """Bytes that are kept of `count` chunks."""
    recorder = trace.recorder
    gc.collect()
    tracemalloc.start(10)
    try:
        for _ in range(count):
            recorder.feed(chunk, recorder.clock(), recorder.clock())
        return held_by_us(called_from=__file__)  # exporters and watchers of ours work meanwhile
    finally:
        tracemalloc.stop()


def held_by_us(called_from: str = "*") -> int:
    """Bytes that were allocated in a call of ours, made in a file: other threads may be at work."""
    gc.collect()
    ours = tracemalloc.Filter(True, str(OURS), all_frames=True)
    there = tracemalloc.Filter(True, called_from, all_frames=True)
    traces = tracemalloc.take_snapshot().filter_traces([ours]).filter_traces([there]).traces
    return sum(trace.size for trace in traces)


MESSAGES: Any = [{"role": "user", "content": "Hi"}]
BODY = b"".join(chat_text(["Hello", " you"]))


def answer(request: Any) -> Any:
    return http.Response(200, headers=SSE, content=BODY)


def test_the_sdk_in_threads(otel_stream_captured: Captured) -> None:
    """Hundreds of calls through one client of the real SDK, in threads, are counted exactly."""
    transport = openai.DefaultHttpxClient(transport=http.MockTransport(answer))

    def one(number: int) -> int:
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        return sum(1 for _ in itertools.islice(stream, 1 + number % 4))

    client = openai.OpenAI(api_key="k", http_client=transport)
    with client, ThreadPoolExecutor(16) as threads:
        reads = list(threads.map(one, range(THROUGH_THE_SDK)))

    is_exact(otel_stream_captured, reads)


async def test_the_sdk_in_tasks(otel_stream_captured: Captured) -> None:
    """Hundreds of calls through one async client, in tasks, are counted exactly."""
    transport = openai.DefaultAsyncHttpxClient(transport=http.MockTransport(answer))

    async def one(client: openai.AsyncOpenAI) -> int:
        stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        return sum([1 async for _ in stream])

    async with openai.AsyncOpenAI(api_key="k", http_client=transport) as client:
        reads = await asyncio.gather(*(one(client) for _ in range(THROUGH_THE_SDK)))

    is_exact(otel_stream_captured, reads)
