"""Runs a call to one of its ends, bare or instrumented, and gathers what came of it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import anthropic
import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

import otel_stream
from otel_stream.testing import Captured, ProviderServer, Request

from . import async_endings, endings
from .calls import Call
from .scene import Scene
from .waiting import auntil
from .wires import Play

try:
    import httpx2 as http
except ImportError:
    import httpx as http  # type: ignore[no-redef]

__all__ = ["HAS_NATIVE", "Ending", "Run", "Stage", "Way"]

HAS_NATIVE = hasattr(anthropic._base_client, "start_api_call_span")
"""Whether the SDK makes a span of its own."""

_OURS = {"otel-stream-watcher", "otel-stream-callbacks"}
_TESTKIT = {"otel-stream-provider", "otel-stream-wait-for"}
_TURNS = 30


@dataclass(frozen=True)
class Ending:
    """One way to end.

    Attributes:
        name: Names it in the test's id.
        outcome: What our span says of it.
        play: What the server does.
        read: What the reader does: a function of `endings` and of `async_endings`.
        kinds: What kinds of call can end so.
        raises: What the application may have to catch.
    """

    name: str
    outcome: str
    play: Play
    read: str
    kinds: frozenset[str]
    raises: tuple[type[BaseException], ...] = ()


@dataclass(frozen=True)
class Way:
    """A call, an end, and what stands around them."""

    call: Call
    ending: Ending
    asynchronous: bool
    native: bool = False

    @property
    def name(self) -> str:
        """Names it in the test's id."""
        mode = "async" if self.asynchronous else "sync"
        native = ["native"] if self.native else []
        return "-".join([self.call.name, mode, self.ending.name, *native])

    @property
    def kin(self) -> tuple[object, ...]:
        """The same for all ends of a call."""
        return (self.call.name, self.asynchronous, self.native)


@dataclass
class Run:
    """What came of one run."""

    scene: Scene
    request: Request
    ours: list[ReadableSpan]
    """The spans that we made."""
    native: list[ReadableSpan]
    """The spans that the SDK made; that of its tool runner may be open."""
    parent: trace.Span
    """What was current around the call."""
    open: list[ReadableSpan]
    """Spans that have not ended."""
    left_over: dict[str, Any]
    """What is still there that was not there before."""


class Stage:
    """A server, an event loop, and the providers that spans go to.

    Args:
        ways: All that will be run.
    """

    def __init__(self, ways: Sequence[Way]) -> None:
        self._ways = ways
        self.server = ProviderServer().start()
        self.loop = asyncio.new_event_loop()
        self.native = Captured()
        self.captured = Captured()
        self._instrumented = False
        self._bare: dict[str, Run] = {}
        # What is there by now stays, and the collector need not look at it in every test.
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Stop all that runs."""
        self._instrument(False)
        gc.unfreeze()
        self.loop.close()
        self.native.shutdown()
        self.captured.shutdown()
        self.server.close()

    def bare(self, way: Way) -> Run:
        """How it goes without us. The other ends of the same call are run at once."""
        if way.name not in self._bare:
            self._instrument(False)
            for other in self._ways:
                if other.kin == way.kin:
                    self._bare[other.name] = self._run(other, parent=False, over=lambda: True)
        return self._bare[way.name]

    def traced(self, way: Way, *, parent: bool) -> Run:
        """How it goes with us. With *parent*, a span of the application's is current."""
        self._instrument(True)
        return self._run(way, parent=parent, over=lambda: bool(ours(self.captured.spans())))

    def _instrument(self, wanted: bool) -> None:
        """It takes a few ms, so what is there stays until something else is wanted."""
        if wanted and not self._instrumented:
            otel_stream.instrument(
                tracer_provider=self.captured.tracer_provider,
                meter_provider=self.captured.meter_provider,
                logger_provider=self.captured.logger_provider,
                grace=0.02,
            )
        elif self._instrumented and not wanted:
            otel_stream.uninstrument()
        self._instrumented = wanted

    def _run(self, way: Way, *, parent: bool, over: Callable[[], bool]) -> Run:
        go = threading.Event()
        self.server.reset()
        self.native.shutdown()
        self.native = Captured()
        self.captured.clear()
        self.server.script(way.call.wire.path, way.ending.play(way.call.wire, go))
        tracer = self.captured.tracer_provider.get_tracer("application")
        around = tracer.start_as_current_span("application") if parent else nullcontext()
        with watched(self.loop) as left_over, around:
            current = trace.get_current_span()
            scene = self._play(way, go, over)
            assert trace.get_current_span() is current
        go.set()
        gc.freeze()
        assert self.server.requests, f"nothing was sent: {scene.error}"
        return Run(
            scene,
            self.server.requests[0],
            ours(self.captured.spans()),
            self.native.spans() + self.native.open_spans(),
            current,
            self.captured.open_spans(),
            left_over,
        )

    def _play(self, way: Way, go: threading.Event, over: Callable[[], bool]) -> Scene:
        if way.asynchronous:
            return self.loop.run_until_complete(self._aplay(way, go, over))
        client = self._client(way)
        scene = Scene(way.call, client, go, over)
        try:
            getattr(endings, way.ending.read)(scene)
        except BaseException as error:  # noqa: BLE001 - the application's, to compare
            scene.caught(error)
        gc.collect()
        scene.wait_until_over()
        client.close()
        return scene

    async def _aplay(self, way: Way, go: threading.Event, over: Callable[[], bool]) -> Scene:
        client = self._client(way)
        scene = Scene(way.call, client, go, over)
        try:
            await getattr(async_endings, way.ending.read)(scene)
        except BaseException as error:  # noqa: BLE001 - the application's, to compare
            scene.caught(error)
        gc.collect()
        await auntil(lambda: scene.over)
        await client.close()
        await settled()
        return scene

    def _client(self, way: Way) -> Any:
        """A client with a connection pool of its own, and without certificates to load."""
        kind = http.AsyncClient if way.asynchronous else http.Client
        options: dict[str, Any] = {"http_client": kind(verify=False)}
        prefix = "Async" if way.asynchronous else ""
        options |= {"api_key": "test", "max_retries": 0}
        if way.call.sdk == "openai":
            sdk: ModuleType = openai
            return getattr(sdk, f"{prefix}OpenAI")(base_url=self.server.openai_url, **options)
        if HAS_NATIVE:
            own = {"tracer_provider": self.native.tracer_provider}
            options["open_telemetry"] = own if way.native else False
        cls = getattr(anthropic, f"{prefix}Anthropic")
        return cls(base_url=self.server.anthropic_url, **options)


async def settled() -> None:
    """Let the loop do what it has been given to do.

    A generator that was dropped is closed by a task, in a later turn of the loop; then the one that
    it read from is dropped, and so on.
    """
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def ours(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """All but the application's own."""
    return [span for span in spans if span.name != "application"]


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(re.sub(r"Task-\d+", "Task", f"{record.name}: {record.getMessage()}"))


@contextmanager
def watched(loop: asyncio.AbstractEventLoop) -> Iterator[dict[str, Any]]:
    """Fills in, at the end of the block, what was left over in it."""
    lines = _Lines()
    threads, files = _threads(), _files()
    found: dict[str, Any] = {}
    logging.getLogger().addHandler(lines)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(lines)
    found["threads"] = _threads() - threads - _OURS
    found["files"] = _files() - files
    found["tasks"] = {str(task) for task in asyncio.all_tasks(loop)}
    found["lines"] = set(lines.said)


def _threads() -> set[str]:
    """Threads that run, but for the server's and those in which the loop resolves host names."""
    names = {thread.name for thread in threading.enumerate()} - _TESTKIT
    return {name for name in names if not name.startswith("asyncio_")}


def _files() -> set[str]:
    """Open files, but not sockets: those are the connection pool's."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue  # the directory itself
        if not path.startswith(("socket:", "anon_inode:")):
            found.add(path)
    return found
