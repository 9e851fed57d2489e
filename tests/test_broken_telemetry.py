"""Telemetry that is broken, end to end: the program reads what it would read without it.

The private providers' own faults have tests in `test_exit`, `test_embedded` and `test_lines`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import openai
import pytest
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.metrics import NoOpMeter, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)

import otel_stream
from otel_stream import errors
from otel_stream.testing import Captured, chat_text
from otel_stream.watcher import watcher
from tests.sdk_http import http

pytestmark = pytest.mark.usefixtures("lenient")
MESSAGES: Any = [{"role": "user", "content": "Hi"}]
BODY = b"".join(chat_text(["Hello", " you"]))


def answer(request: Any) -> Any:
    return http.Response(200, headers={"content-type": "text/event-stream"}, content=BODY)


def call() -> list[Any]:
    """What a program gets that calls the real SDK."""
    transport = openai.DefaultHttpxClient(transport=http.MockTransport(answer))
    with openai.OpenAI(api_key="k", http_client=transport) as client:
        return list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))


@pytest.fixture
def bare() -> list[Any]:
    """What it gets without us."""
    otel_stream.uninstrument()
    return call()


@pytest.fixture
def instrument(bare: list[Any]) -> Iterator[Callable[..., None]]:
    yield otel_stream.instrument
    otel_stream.uninstrument()


class Exporter(SpanExporter):
    """An exporter that does what it is told to."""

    def __init__(self, does: Callable[[], Any]) -> None:
        self._does = does
        self.entered = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self._does()
        return SpanExportResult.SUCCESS


class Processor(SpanProcessor):
    """A processor that raises in one of its methods."""

    def __init__(self, place: str) -> None:
        self.place = place

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._at("on_start")

    def on_end(self, span: ReadableSpan) -> None:
        self._at("on_end")

    def _at(self, place: str) -> None:
        if place == self.place:
            raise RuntimeError(f"broken in {place}")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if r.levelno >= logging.WARNING]


def test_exporter_that_hangs(instrument: Callable[..., None], bare: list[Any]) -> None:
    """An application's exporter that hangs stops no call, nor the next one."""
    go = threading.Event()
    exporter = Exporter(lambda: go.wait(30))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1))
    instrument(tracer_provider=provider)
    first = call()
    entered = exporter.entered.wait(10)
    second = call()
    go.set()
    provider.shutdown()

    assert entered
    assert first == second == bare


def test_exporter_that_raises(
    instrument: Callable[..., None], bare: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """An application's exporter that raises, in the very thread of the call, alters nothing."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = Exporter(lambda: 1 / 0)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrument(tracer_provider=provider)

    assert [call(), call()] == [bare, bare]
    assert exporter.entered.is_set()
    assert [line for line in said(caplog) if "otel-stream" in line] == []  # the SDK says it


def test_exporter_that_is_slow(instrument: Callable[..., None], bare: list[Any]) -> None:
    """A slow exporter's time, in the thread of the call, is not booked as the stream's."""
    captured = Captured()
    go = threading.Event()
    slow = SimpleSpanProcessor(Exporter(lambda: go.wait(0.2)))
    captured.tracer_provider.add_span_processor(slow)
    instrument(tracer_provider=captured.tracer_provider, meter_provider=captured.meter_provider)

    assert call() == bare
    assert captured.point("gen_ai.client.operation.duration").sum < 0.2
    captured.shutdown()


@pytest.mark.parametrize("place", ["on_start", "on_end"])
def test_span_processor_that_raises(
    place: str,
    instrument: Callable[..., None],
    bare: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A span processor that raises alters nothing, and the fault is said once."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(place))
    instrument(tracer_provider=provider)

    assert [call(), call(), call()] == [bare] * 3
    assert len(said(caplog)) == 1
    assert f"broken in {place}" in said(caplog)[0]
    assert watcher.open == []


def test_span_processor_that_raises_leaves_the_metrics(
    instrument: Callable[..., None], bare: list[Any]
) -> None:
    """When the span cannot be ended, the metrics still count the call."""
    captured = Captured()
    captured.tracer_provider.add_span_processor(Processor("on_end"))
    instrument(tracer_provider=captured.tracer_provider, meter_provider=captured.meter_provider)
    call()

    assert captured.point("gen_ai.client.operation.duration").count == 1
    assert captured.point("otel_stream.streams.active").value == 0
    captured.shutdown()


class Reader(MetricReader):
    """A reader that cannot read."""

    def _receive_metrics(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken reader")

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to shut down."""


def test_metric_reader_that_raises(
    instrument: Callable[..., None], bare: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A metric reader that raises alters nothing, and `flush` does not raise either."""
    captured = Captured()
    reader = Reader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    instrument(tracer_provider=captured.tracer_provider, meter_provider=provider)
    assert [call(), call()] == [bare, bare]
    with pytest.raises(RuntimeError):
        reader.collect()
    otel_stream.flush()

    assert len(captured.spans()) == 2
    assert len(said(caplog)) <= 1


class BrokenInstrument:
    """Cannot count."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken instrument")

    record = add


class BrokenMeter(NoOpMeter):
    """A meter of another make, of which every instrument raises."""

    def create_counter(self, *args: Any, **kwargs: Any) -> Any:
        return BrokenInstrument()

    create_histogram = create_up_down_counter = create_counter


class BrokenMeters(NoOpMeterProvider):
    """A provider of such meters."""

    def get_meter(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return BrokenMeter(name)


class NoMeters(NoOpMeterProvider):
    """A provider that cannot even make a meter."""

    def get_meter(self, name: str, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no meter")


@pytest.mark.parametrize("provider", [BrokenMeters(), NoMeters()], ids=["instruments", "meters"])
def test_metrics_that_raise(
    provider: AnyMeterProvider,
    instrument: Callable[..., None],
    bare: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Metrics that raise cost neither a chunk nor a span, and each fault is said once."""
    captured = Captured()
    instrument(tracer_provider=captured.tracer_provider, meter_provider=provider)
    assert [call(), call(), call()] == [bare] * 3
    outcomes = [span.attributes["otel_stream.outcome"] for span in captured.spans()]

    assert outcomes == ["completed"] * 3
    assert captured.open_spans() == []
    assert watcher.open == []
    assert len(said(caplog)) == len(set(said(caplog))) == len(errors.faults)


class Nameless:
    """An argument that cannot be shown, counted or compared."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


def test_request_that_we_cannot_read(
    instrument: Callable[..., None], bare: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A call whose arguments trip us up is made like any other."""
    captured = Captured()
    instrument(tracer_provider=captured.tracer_provider, capture_content=True)
    transport = openai.DefaultHttpxClient(transport=http.MockTransport(answer))
    with openai.OpenAI(api_key="k", http_client=transport) as client:
        odd: Any = {"model": 7, "messages": [None, 3, "x"], "n": "two", "stop": {"a": 1}}
        chunks = list(client.chat.completions.create(**odd, stream=True))

    assert chunks == bare
    assert captured.span().attributes["otel_stream.outcome"] == "completed"
    assert said(caplog) == []
