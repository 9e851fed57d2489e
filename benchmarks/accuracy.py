"""How true our times are: `accuracy.py STREAMS`, run in our own environment.

A scripted server on loopback, a process of its own (`accuracy_server.py`), notes when each event
leaves; the program notes when it asks for a chunk and when it gets one. From these two, and without
us, follow the time to the first token, the time spent waiting for the provider and the time spent
in the program. They are compared with what our spans say. One clock serves all:
`time.perf_counter` is monotonic and the same in all processes.

Prints one line of JSON a scenario.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, TextIO, cast

from accuracy_server import SCENARIOS, Scenario
from answers import CHAT_MODEL, FIRST_TEXT, MESSAGE_MODEL
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from workload import LIBRARIES, QUESTION

import otel_stream

ATTRIBUTES = {
    "first token": "otel_stream.time_to_first_token",
    "provider wait": "otel_stream.provider_wait",
    "provider wait by the server's clock": "otel_stream.provider_wait",
    "consumer time": "otel_stream.consumer_time",
}
WARM = 2
"""Streams before those that count."""
clock = time.perf_counter


@dataclass
class Diary:
    """What the program itself notes about one stream."""

    called: float = field(default_factory=clock)
    asked: list[float] = field(default_factory=list)
    """When it asked for each chunk."""
    got: list[float] = field(default_factory=list)
    """When it had each chunk."""
    ended: float = 0.0
    """When the last read, which gave none, was over."""

    def truth(self, sent: list[float], first_token: int) -> dict[str, float]:
        """The three times, from the server's clock and this diary."""
        reads = zip([*self.got, self.ended], self.asked, strict=True)
        waits = [max(0.0, left - asked) for left, asked in zip(sent, self.asked, strict=False)]
        bodies = [end - start for start, end in zip(self.got, self.asked[1:], strict=False)]
        return {
            "first token": sent[first_token] - self.called,
            "provider wait": sum(got - asked for got, asked in reads),
            "provider wait by the server's clock": sum(waits),
            "consumer time": sum(bodies),
        }


def read(client: Any, scenario: Scenario, library: str) -> Diary:
    """Read one stream in a `for` loop."""
    diary = Diary()
    stream = call(client, library)
    diary.asked.append(clock())
    for _ in stream:
        diary.got.append(clock())
        time.sleep(scenario.consumer)
        diary.asked.append(clock())
    diary.ended = clock()
    return diary


def read_async(client: Any, scenario: Scenario, library: str) -> Diary:
    """Read one stream in an `async for` loop."""

    async def main() -> Diary:
        async with client() as connected:
            diary = Diary()
            stream = await call(connected, library)
            diary.asked.append(clock())
            async for _ in stream:
                diary.got.append(clock())
                await asyncio.sleep(scenario.consumer)
                diary.asked.append(clock())
            diary.ended = clock()
        return diary

    return asyncio.run(main())


def call(client: Any, library: str) -> Any:
    """Begin a streamed call."""
    if library == "openai":
        options = {"include_usage": True}
        return client.chat.completions.create(
            model=CHAT_MODEL, messages=QUESTION, stream=True, stream_options=options
        )
    return client.messages.create(
        model=MESSAGE_MODEL, messages=QUESTION, max_tokens=1024, stream=True
    )


class Server:
    """`accuracy_server.py`, asked for one answer after the other."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("accuracy_server.py"))]
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.url = self.line().strip()

    def prepare(self, library: str, scenario: int) -> None:
        """Have the next request answered so."""
        self.say(json.dumps({"library": library, "scenario": scenario}))
        self.line()

    def sent(self) -> list[float]:
        """When each event of the answer left, asked once all have been read."""
        self.say("")
        return cast(list[float], json.loads(self.line()))

    def say(self, line: str) -> None:
        """Tell it something."""
        cast(TextIO, self.child.stdin).write(line + "\n")

    def line(self) -> str:
        """What it says next."""
        return cast(TextIO, self.child.stdout).readline()

    def close(self) -> None:
        """It leaves when its input ends."""
        cast(TextIO, self.child.stdin).close()
        self.child.wait(10)


def reader(library: str, url: str, asynchronous: bool) -> Callable[[Scenario], Diary]:
    """Reads one stream of the library, given a scenario."""
    sdk = import_module(library)
    options: dict[str, Any] = {"api_key": "bench", "base_url": url, "max_retries": 0}
    if library == "openai":
        options["base_url"] += "/v1"
        sync, many = sdk.OpenAI, sdk.AsyncOpenAI
    else:
        sync, many = sdk.Anthropic, sdk.AsyncAnthropic
    if asynchronous:
        return lambda scenario: read_async(lambda: many(**options), scenario, library)
    client = sync(**options)
    return lambda scenario: read(client, scenario, library)


class Comparison:
    """What our spans say of the streams of one scenario, beside the truth."""

    def __init__(self, spans: InMemorySpanExporter, library: str) -> None:
        self.spans = spans
        self.library = library
        self.errors: dict[str, list[float]] = {name: [] for name in ATTRIBUTES}
        self.truths: dict[str, list[float]] = {name: [] for name in ATTRIBUTES}

    def add(self, diary: Diary, sent: list[float]) -> None:
        """One stream more."""
        truth = diary.truth(sent, FIRST_TEXT[self.library])
        (span,) = self.spans.get_finished_spans()
        self.spans.clear()
        for name, attribute in ATTRIBUTES.items():
            said = float(cast(float, (span.attributes or {})[attribute]))
            self.truths[name].append(truth[name])
            self.errors[name].append((said - truth[name]) / truth[name])

    def summary(self) -> dict[str, dict[str, float]]:
        """Medians, and the worst errors."""
        return {
            "truth": {name: statistics.median(values) for name, values in self.truths.items()},
            "error": {name: statistics.median(values) for name, values in self.errors.items()},
            "worst": {name: max(values, key=abs) for name, values in self.errors.items()},
        }


def main(streams: int) -> None:
    """All scenarios, sync and async, for all libraries."""
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    otel_stream.instrument(tracer_provider=provider)
    server = Server()
    for library, asynchronous in product(LIBRARIES, (False, True)):
        take = reader(library, server.url, asynchronous)
        for index, scenario in enumerate(SCENARIOS):
            comparison = Comparison(spans, library)
            for number in range(streams + WARM):
                server.prepare(library, index)
                diary, sent = take(scenario), server.sent()
                if number < WARM:
                    spans.clear()
                else:
                    comparison.add(diary, sent)
            loop = "async for" if asynchronous else "for"
            about = {"scenario": scenario.name, "library": library, "loop": loop}
            print(json.dumps(about | {"streams": streams} | comparison.summary()), flush=True)
    server.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
