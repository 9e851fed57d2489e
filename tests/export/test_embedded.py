from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_stream.export.embedded import Embedded

from .conftest import Maker
from .receiver import Receiver, status

EXPORTER = """
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk.trace.export import SpanExporter

seen = []

class Seeing(SpanExporter):
    def export(self, spans):
        seen.append(is_instrumentation_enabled())
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A library that is installed and brings the exporter `seeing`."""
    (tmp_path / "seeing_exporter.py").write_text(EXPORTER)
    metadata = tmp_path / "seeing-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: seeing\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[opentelemetry_traces_exporter]\nseeing = seeing_exporter:Seeing\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("seeing_exporter")
    del sys.modules["seeing_exporter"]


def end_a_span(embedded: Embedded) -> None:
    embedded.provider.get_tracer("test").start_span("a span").end()


def lines_of(path: str) -> list[Any]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


class TestFiles:
    def test_traces(self, private: Maker) -> None:
        """Spans become OTLP JSON lines in the folder, with the service's name."""
        embedded = private("traces", service_name="bot", data_dir="here")
        end_a_span(embedded)

        assert embedded.flush()
        (resource,) = lines_of("here/traces.jsonl")[0]["resourceSpans"]
        assert {"key": "service.name", "value": {"stringValue": "bot"}} in resource["resource"][
            "attributes"
        ]
        assert resource["scopeSpans"][0]["spans"][0]["name"] == "a span"

    def test_exemplar(self, private: Maker) -> None:
        """A measurement inside a sampled span keeps its trace as an exemplar."""
        tracer = private("traces").provider.get_tracer("test")
        embedded = private("metrics")
        histogram = embedded.provider.get_meter("test").create_histogram("h")
        with tracer.start_as_current_span("a span") as span:
            histogram.record(0.5)
        embedded.flush()

        (resource,) = lines_of("otel-stream-data/metrics.jsonl")[0]["resourceMetrics"]
        (point,) = resource["scopeMetrics"][0]["metrics"][0]["histogram"]["dataPoints"]
        assert point["exemplars"][0]["traceId"] == f"{span.get_span_context().trace_id:032x}"

    def test_logs(self, private: Maker) -> None:
        """Log records become lines too."""
        embedded = private("logs")
        embedded.provider.get_logger("test").emit(event_name="an event")
        embedded.flush()

        (resource,) = lines_of("otel-stream-data/logs.jsonl")[0]["resourceLogs"]
        assert resource["scopeLogs"][0]["logRecords"][0]["eventName"] == "an event"

    def test_nothing_without_data(self, private: Maker) -> None:
        """A provider that nobody used leaves no folder behind."""
        for signal in ("traces", "metrics", "logs"):
            private(signal).flush()

        assert not Path("otel-stream-data").exists()

    @pytest.mark.parametrize("broken", ["full", "no folder"])
    def test_fault(
        self, private: Maker, caplog: pytest.LogCaptureFixture, tmp_path: Path, broken: str
    ) -> None:
        """A full disk or a folder that cannot be is said once with a remedy, and counted."""
        folder = tmp_path / "data"
        if broken == "full":
            folder.mkdir()
            (folder / "traces.jsonl").symlink_to("/dev/full")
        else:
            folder.write_text("not a folder")
        embedded = private("traces", data_dir=str(folder))

        for _ in range(3):
            end_a_span(embedded)
            assert not embedded.flush()

        assert embedded.failures == 3
        assert [record.name for record in caplog.records] == ["otel_stream"]
        assert caplog.messages[0].endswith(" to a folder that can be written")

    def test_sampler(self, private: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
        """The SDK's own variables hold."""
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
        span = private("traces").provider.get_tracer("test").start_span("a span")

        assert not span.is_recording()


class TestQueue:
    def test_full(
        self, private: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What finds the queue full is dropped, counted, and said once."""
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
        embedded = private("traces")
        processor = embedded.provider._active_span_processor._span_processors[0]
        with processor._batch_processor._export_lock:
            for _ in range(12):
                end_a_span(embedded)
            dropped = embedded.dropped["queue_full"]
        embedded.flush()

        spans = [
            span
            for line in lines_of("otel-stream-data/traces.jsonl")
            for span in line["resourceSpans"][0]["scopeSpans"][0]["spans"]
        ]
        assert dropped + len(spans) == 12
        assert 4 <= dropped <= 8
        assert ["queue is full" in message for message in caplog.messages] == [True]


class TestOtlp:
    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_http(self, receive: Callable[..., Receiver], private: Maker, signal: str) -> None:
        """With an endpoint, each signal goes there as protobuf over HTTP, and to no file."""
        collector = receive()
        embedded = private(signal, service_name="a-name-to-find")
        act = {
            "traces": lambda: end_a_span(embedded),
            "metrics": lambda: embedded.provider.get_meter("m").create_counter("c").add(1),
            "logs": lambda: embedded.provider.get_logger("l").emit(event_name="e"),
        }
        act[signal]()

        assert embedded.flush()
        assert [got.path for got in collector.got] == [f"/v1/{signal}"]
        assert b"a-name-to-find" in collector.got[0].body
        assert not Path("otel-stream-data").exists()

    def test_refused(
        self,
        receive: Callable[..., Receiver],
        private: Maker,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A collector that refuses is said once, with its answer; and once when it works again."""
        caplog.set_level("INFO")
        collector = receive(status(404), status(404))
        embedded = private("traces")
        flushed = []
        for _ in range(3):
            end_a_span(embedded)
            flushed.append(embedded.flush())

        assert flushed == [False, False, True]
        said = [record.getMessage() for record in caplog.records if record.name == "otel_stream"]
        assert len(said) == 2
        assert f"{collector.url}/v1/traces" in said[0]
        assert "404" in said[0]
        assert said[1].endswith("again, after 2 failed exports; 2 spans lost")
        assert not [each for each in caplog.records if each.name.startswith("opentelemetry")]


class TestExporters:
    def test_by_name(self, private: Maker, installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Any installed exporter can be named; what it does meanwhile is not traced."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "seeing")
        embedded = private("traces")
        end_a_span(embedded)

        assert embedded.flush()
        assert installed.seen == [False]

    @pytest.mark.usefixtures("lenient")
    def test_one_of_two(
        self,
        private: Maker,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """An exporter that cannot be made is said, and the others work."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "spam,console")
        embedded = private("traces")
        end_a_span(embedded)
        embedded.flush()

        assert embedded.where == ["the exporter 'console'"]
        assert "OTEL_TRACES_EXPORTER='spam'" in caplog.text

    @pytest.mark.usefixtures("lenient")
    def test_port_in_use(self, private: Maker, caplog: pytest.LogCaptureFixture) -> None:
        """When somebody else has Prometheus's port, that is said and the file is written."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            embedded = private("metrics", prometheus=True, prometheus_port=other.getsockname()[1])

        assert embedded.where == [str(Path("otel-stream-data/metrics.jsonl").absolute())]
        assert "Address already in use" in caplog.text

    def test_switched_off(self, private: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
        """A signal whose exporter is `none` has no provider at all."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")

        assert private("traces") is None
