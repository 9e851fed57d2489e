"""Runs a call to one of its ends, bare or instrumented, and gathers what came of it."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

import otel_stream
from otel_stream.testing import Captured, ProviderServer, Request

from . import async_endings, endings
from .clients import client_of
from .leftovers import settled, watched
from .scene import Scene
from .waiting import auntil
from .ways import Way

__all__ = ["Run", "Stage"]


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
    left_over: dict[str, set[str]]
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

    def _scene(self, way: Way, go: threading.Event, over: Callable[[], bool]) -> Scene:
        native = self.native.tracer_provider if way.native else None
        client = client_of(way.call.sdk, self.server, asynchronous=way.asynchronous, native=native)
        return Scene(way.call, client, go, lambda: bool(self.server.requests), over)

    def _play(self, way: Way, go: threading.Event, over: Callable[[], bool]) -> Scene:
        if way.asynchronous:
            return self.loop.run_until_complete(self._aplay(way, go, over))
        scene = self._scene(way, go, over)
        try:
            getattr(endings, way.ending.read)(scene)
        except BaseException as error:  # noqa: BLE001 - the application's, to compare
            scene.caught(error)
        gc.collect()
        scene.wait_until_over()
        scene.client.close()
        return scene

    async def _aplay(self, way: Way, go: threading.Event, over: Callable[[], bool]) -> Scene:
        scene = self._scene(way, go, over)
        try:
            await getattr(async_endings, way.ending.read)(scene)
        except BaseException as error:  # noqa: BLE001 - the application's, to compare
            scene.caught(error)
        # Generators that were dropped close one another, and so form new garbage.
        await auntil(lambda: gc.collect() < 0 or scene.over)
        await scene.client.close()
        await settled()
        return scene


def ours(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """All but the application's own."""
    return [span for span in spans if span.name != "application"]
