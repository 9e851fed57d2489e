"""How each contender is switched on: a few honest lines each, as its own documentation says.

The contenders are imported by name because each is installed in its own environment only.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signals import Signals


@dataclass(frozen=True)
class Evidence:
    """What a contender has recorded so far: proof that it was at work while it was timed."""

    spans: int
    logs: int
    metrics: list[str]


@dataclass(frozen=True)
class Active:
    """A contender that is switched on."""

    settle: Callable[[], object] = lambda: None
    """Waits until all that was recorded is exported; its CPU counts."""
    evidence: Callable[[], Evidence] = lambda: Evidence(0, 0, [])
    wrap: Callable[[Any], Any] = lambda stream: stream
    """What the program loops over instead of the stream."""
    async_wrap: Callable[[Any], Any] = lambda stream: stream


def nothing() -> Active:
    """The bare SDK."""
    return Active()


def two_clocks() -> Active:
    """Two clock reads a chunk, the least that can tell provider time from consumer time."""
    return Active(wrap=timed, async_wrap=async_timed)


def two_clocks_kept() -> Active:
    """The same, and every wait is kept, 8 bytes each."""
    return Active(wrap=timed_and_kept, async_wrap=async_timed_and_kept)


def timed(stream: Any) -> Iterator[Any]:
    """Read a stream between two clock reads."""
    read = iter(stream).__next__
    while True:
        started = perf_counter()
        try:
            chunk = read()
        except StopIteration:
            return
        perf_counter() - started
        yield chunk


def timed_and_kept(stream: Any) -> Iterator[Any]:
    """Read a stream between two clock reads and keep the difference."""
    read = iter(stream).__next__
    keep = array("d").append
    while True:
        started = perf_counter()
        try:
            chunk = read()
        except StopIteration:
            return
        keep(perf_counter() - started)
        yield chunk


async def async_timed(stream: Any) -> AsyncIterator[Any]:
    """`timed` for `async for`."""
    read = aiter(stream).__anext__
    while True:
        started = perf_counter()
        try:
            chunk = await read()
        except StopAsyncIteration:
            return
        perf_counter() - started
        yield chunk


async def async_timed_and_kept(stream: Any) -> AsyncIterator[Any]:
    """`timed_and_kept` for `async for`."""
    read = aiter(stream).__anext__
    keep = array("d").append
    while True:
        started = perf_counter()
        try:
            chunk = await read()
        except StopAsyncIteration:
            return
        keep(perf_counter() - started)
        yield chunk


def start_signals() -> tuple[Signals, Active]:
    """Global providers that record everything and export it to nowhere."""
    from signals import Signals

    signals = Signals()
    signals.start()

    def evidence() -> Evidence:
        signals.settle()
        return Evidence(signals.spans.count, signals.logs.count, signals.metric_names())

    return signals, Active(settle=signals.settle, evidence=evidence)


def providers(signals: Signals) -> dict[str, Any]:
    """The providers as the arguments that OpenTelemetry instrumentors take."""
    return {
        "tracer_provider": signals.tracer_provider,
        "meter_provider": signals.meter_provider,
        "logger_provider": signals.logger_provider,
    }


def ours() -> Active:
    """otel-stream as its one line sets it up."""
    signals, active = start_signals()
    import_module("otel_stream").instrument(**providers(signals))
    return active


def ours_with_content() -> Active:
    """otel-stream, messages captured."""
    signals, active = start_signals()
    import_module("otel_stream").instrument(capture_content=True, **providers(signals))
    return active


def native() -> Active:
    """The span that the anthropic SDK makes by itself on the global provider."""
    return start_signals()[1]


def official() -> Active:
    """OpenTelemetry's own GenAI instrumentations."""
    return instrumentors(
        "opentelemetry.instrumentation.genai.openai",
        "opentelemetry.instrumentation.genai.anthropic",
    )


def openllmetry() -> Active:
    """Traceloop's instrumentations."""
    return instrumentors(
        "opentelemetry.instrumentation.openai", "opentelemetry.instrumentation.anthropic"
    )


def openinference() -> Active:
    """Arize's instrumentations."""
    return instrumentors(
        "openinference.instrumentation.openai", "openinference.instrumentation.anthropic"
    )


def instrumentors(openai: str, anthropic: str) -> Active:
    """Two modules with the usual class names."""
    signals, active = start_signals()
    import_module(openai).OpenAIInstrumentor().instrument(**providers(signals))
    import_module(anthropic).AnthropicInstrumentor().instrument(**providers(signals))
    return active


def langfuse() -> Active:
    """Langfuse with its own span processor, on a provider of its own, exporting to nowhere."""
    from opentelemetry.sdk.trace import TracerProvider
    from signals import NullSpanExporter

    provider, exporter = TracerProvider(), NullSpanExporter()
    import_module("langfuse").Langfuse(
        public_key="pk-bench",
        secret_key="sk-bench",
        base_url="http://localhost:9",
        tracer_provider=provider,
        span_exporter=exporter,
    )
    import_module("langfuse.openai")  # patches the SDK

    def evidence() -> Evidence:
        provider.force_flush()
        return Evidence(exporter.count, 0, [])

    return Active(settle=provider.force_flush, evidence=evidence)


def sentry() -> Active:
    """Sentry with tracing on and a transport that counts its envelopes' items and drops them."""
    sdk = import_module("sentry_sdk")
    sent: list[int] = []

    class NullTransport(import_module("sentry_sdk.transport").Transport):  # type: ignore[misc]
        """Counts what would be sent."""

        def capture_envelope(self, envelope: Any) -> None:
            """Count."""
            sent.append(len(envelope.items))

    sdk.init(dsn="http://key@localhost:9/1", traces_sample_rate=1.0, transport=NullTransport)
    return Active(settle=sdk.flush, evidence=lambda: Evidence(sum(sent), 0, []))
