from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_stream import __version__, semconv
from otel_stream.errors import MissingExtraError
from otel_stream.export.telemetry import Telemetry
from otel_stream.settings import Settings

Make = Callable[..., Telemetry]


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make() -> Iterator[Make]:
    made = []

    def telemetry(settings: dict[str, Any] | None = None, **providers: Any) -> Telemetry:
        made.append(Telemetry(Settings.resolve(**settings or {}), **providers))
        return made[-1]

    yield telemetry
    for each in made:
        each.shutdown()


@pytest.fixture
def given() -> Iterator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    yield provider
    provider.shutdown()


class Hanging(SpanProcessor):
    """A processor whose flush lasts until `released`."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.flushes = 0
        self.ended = False

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.flushes += 1
        return self.released.wait(10.0)

    def shutdown(self) -> None:
        self.ended = True


@pytest.fixture
def hanging(given: TracerProvider) -> Iterator[Hanging]:
    processor = Hanging()
    given.add_span_processor(processor)
    yield processor
    processor.released.set()


def scope_of(path: str, resources: str, scopes: str) -> dict[str, Any]:
    line = json.loads(Path(path).read_text().splitlines()[-1])
    scope: dict[str, Any] = line[resources][0][scopes][0]
    return scope


class TestWhere:
    def test_files(self, make: Make) -> None:
        """With nothing configured, all signals land in files, under our scope."""
        telemetry = make()
        telemetry.tracer().start_span("a span").end()
        telemetry.meter().create_counter("cups").add(1)
        telemetry.logger().emit(event_name="an event")

        assert telemetry.flush()
        scope = {"name": "otel_stream", "version": __version__}
        for signal, part in {"traces": "Spans", "metrics": "Metrics", "logs": "Logs"}.items():
            written = scope_of(
                f"otel-stream-data/{signal}.jsonl", f"resource{part}", f"scope{part}"
            )
            assert (written["scope"], written["schemaUrl"]) == (scope, semconv.SCHEMA_URL)

    def test_each_signal_by_itself(self, make: Make, given: TracerProvider) -> None:
        """Who gives only a tracer provider still gets private metrics."""
        exporter = InMemorySpanExporter()
        given.add_span_processor(SimpleSpanProcessor(exporter))
        telemetry = make(tracer_provider=given)
        telemetry.tracer().start_span("a span").end()
        telemetry.meter().create_counter("cups").add(1)
        telemetry.flush()

        assert [span.name for span in exporter.get_finished_spans()] == ["a span"]
        assert [path.name for path in Path("otel-stream-data").glob("*.jsonl")] == ["metrics.jsonl"]

    def test_meter_stays(self, make: Make) -> None:
        """The meter is the same object from call to call."""
        telemetry = make()

        assert telemetry.meter() is telemetry.meter()

    def test_nothing_is_registered(self, make: Make) -> None:
        """Private providers are not the global ones: an application may still set its own."""
        make().tracer()

        assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"

    def test_disabled(self, make: Make) -> None:
        """Disabled, everything is the API's own nothing, even where a provider is given."""
        telemetry = make({"disabled": True}, tracer_provider=TracerProvider(shutdown_on_exit=False))

        assert isinstance(telemetry.tracer(), trace.NoOpTracer)
        assert isinstance(telemetry.meter(), NoOpMeter)
        assert telemetry.flush()
        assert not Path("otel-stream-data").exists()

    def test_switched_off(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """A signal whose exporter is `none` costs nothing."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")

        assert isinstance(make().tracer(), trace.NoOpTracer)

    def test_prometheus_is_served_at_once(self, make: Make) -> None:
        """Prometheus finds an endpoint before the first stream."""
        telemetry = make({"prometheus": True, "prometheus_port": 0})

        assert "http://127.0.0.1:0/" not in telemetry.describe()[1]


class TestCheck:
    def test_missing_extra(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """gRPC without its extra is an error at the application's line, and then all is ended."""
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc", None)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

        telemetry = make()

        with pytest.raises(MissingExtraError, match=r"pip install 'otel-stream\[grpc\]'"):
            telemetry.check()
        assert isinstance(telemetry.meter(), NoOpMeter)

    def test_not_ours(
        self, make: Make, given: TracerProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What would not be used is not checked."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "spam")

        make(tracer_provider=given).check()


class TestFlush:
    def test_given_provider(self, make: Make, given: TracerProvider, hanging: Hanging) -> None:
        """Providers that are used but not ours are flushed too."""
        hanging.released.set()
        telemetry = make(tracer_provider=given)
        telemetry.tracer()

        assert telemetry.flush()
        assert hanging.flushes == 1

    def test_hanging(self, make: Make, given: TracerProvider, hanging: Hanging) -> None:
        """A flush that hangs is left at the time-out, and however often, no threads pile up."""
        telemetry = make(tracer_provider=given)
        telemetry.tracer()
        before = threading.active_count()
        began = time.monotonic()

        assert not any([telemetry.flush(0.01) for _ in range(10)])
        assert time.monotonic() - began < 5.0
        assert threading.active_count() == before + 1
        assert hanging.flushes == 1

    def test_failing(self, make: Make) -> None:
        """What could not be written is told, and counted by signal."""
        Path("otel-stream-data").write_text("not a folder")
        telemetry = make()
        telemetry.tracer().start_span("a span").end()
        telemetry.meter().create_counter("cups").add(1)
        telemetry.logger().emit(event_name="an event")

        assert not telemetry.flush()
        assert telemetry.export_failures == {"traces": 1, "metrics": 1, "logs": 1}


class TestShutdown:
    def test_exports_what_waits(self, make: Make) -> None:
        """What waits is exported at the end."""
        telemetry = make()
        telemetry.tracer().start_span("a span").end()
        telemetry.shutdown()

        assert '"a span"' in Path("otel-stream-data/traces.jsonl").read_text()

    def test_only_ours(self, make: Make, given: TracerProvider, hanging: Hanging) -> None:
        """A provider that was given is not ended: it is not ours."""
        telemetry = make(tracer_provider=given)
        telemetry.tracer()
        telemetry.shutdown()

        assert not hanging.ended

    def test_nothing_afterwards(self, make: Make) -> None:
        """Afterwards nothing is made again."""
        telemetry = make()
        telemetry.tracer()
        telemetry.shutdown()

        assert isinstance(telemetry.tracer(), trace.NoOpTracer)
        assert isinstance(telemetry.meter(), NoOpMeter)

    def test_twice(self, make: Make, caplog: pytest.LogCaptureFixture) -> None:
        """A second time does nothing and says nothing."""
        telemetry = make()
        telemetry.meter()
        telemetry.shutdown()
        telemetry.shutdown()

        assert caplog.messages == []

    def test_no_thread_is_left(self, make: Make) -> None:
        """When it is over, so are its threads."""
        before = set(threading.enumerate())
        telemetry = make()
        telemetry.tracer().start_span("a span").end()
        telemetry.meter()
        telemetry.logger()
        telemetry.shutdown()
        ours = set(threading.enumerate()) - before
        for thread in ours:
            thread.join(5.0)

        assert not any(thread.is_alive() for thread in ours)


class TestDescribe:
    def test_lines(
        self, make: Make, given: TracerProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each signal has a line that says where it goes."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://key@c:4318/in")
        monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")

        assert make(tracer_provider=given).describe() == [
            "traces: the one given, opentelemetry.sdk.trace.TracerProvider",
            "metrics: http://c:4318/in",
            "logs: nowhere (switched off)",
        ]

    def test_fault(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """What cannot work is said in place."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "spam")

        assert make().describe()[0] == (
            "traces: nowhere: OTEL_EXPORTER_OTLP_PROTOCOL='spam': "
            "expected one of grpc, http/protobuf"
        )

    def test_missing_extra(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where nothing can be sent for want of an extra, it is not said to be sent."""
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc", None)
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp_proto_grpc")

        assert make().describe()[0].startswith("traces: nowhere: OTLP over gRPC needs: pip install")

    def test_failures(self, make: Make) -> None:
        """Failed exports are counted in the line."""
        Path("otel-stream-data").write_text("not a folder")
        telemetry = make()
        telemetry.tracer().start_span("a span").end()
        telemetry.flush()

        assert telemetry.describe()[0].endswith("traces.jsonl (1 exports failed)")

    def test_disabled(self, make: Make) -> None:
        """Disabled, every line says so."""
        assert make({"disabled": True}).describe()[0] == "traces: off (disabled)"
