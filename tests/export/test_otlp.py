"""What the OTLP exporters are told beyond the variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.export.destination import GRPC, HTTP, Destination
from otel_stream.export.otlp import is_local, options

from .conftest import Maker, end_spans
from .receiver import Receiver

NEAR, FAR = "http://127.0.0.1:4318/v1/traces", "http://agent.example:4318/v1/traces"


@pytest.mark.parametrize(
    ("where", "local"),
    [
        ("http://localhost:4318/v1/traces", True),
        ("http://127.8.0.1:4318", True),
        ("http://[::1]:4318/v1/traces", True),
        ("localhost:4317", True),
        ("https://10.0.0.7:4318", False),
        ("http://[fd00::7]:4317", False),
        ("http://localhost.example:4318", False),
        ("agent:4317", False),
    ],
)
def test_loopback(where: str, local: bool) -> None:
    """What is on this machine's loopback is told by its name or address."""
    assert is_local(where) == local


@pytest.mark.parametrize(
    ("where", "variable", "expected"),
    [(NEAR, None, None), (FAR, None, "gzip"), (FAR, "COMPRESSION", None)],
)
def test_compression(
    monkeypatch: pytest.MonkeyPatch, where: str, variable: str | None, expected: str | None
) -> None:
    """Over HTTP it is gzip to another machine; a variable leaves it to the exporter."""
    if variable is not None:
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{variable}", "none")
    given, _ = options(Destination("traces", HTTP, where))

    assert getattr(given.get("compression"), "value", None) == expected


@pytest.mark.parametrize(
    ("where", "variables", "expected"),
    [
        (NEAR, {}, "NoCompression"),
        (FAR, {}, "Gzip"),
        (FAR, {"": "none"}, "NoCompression"),
        (FAR, {"": "none", "TRACES_": "gzip"}, "Gzip"),
        (NEAR, {"": "deflate"}, "Deflate"),
    ],
)
def test_grpc_compression(
    monkeypatch: pytest.MonkeyPatch, where: str, variables: dict[str, str], expected: str
) -> None:
    """Over gRPC the same, by the variables' own words."""
    pytest.importorskip("grpc")
    for signal, word in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}COMPRESSION", word)
    given, _ = options(Destination("traces", GRPC, where))

    assert given["compression"].name == expected


@pytest.mark.parametrize(
    ("variable", "word"), [("TRACES_COMPRESSION", "gzip"), ("COMPRESSION", "deflate")]
)
def test_on_the_wire(
    receive: Callable[..., Receiver],
    private: Maker,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    word: str,
) -> None:
    """What is asked for is what arrives, on loopback too."""
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{variable}", word)
    receiver = receive()
    embedded = private("traces")
    end_spans(embedded, "a")

    assert embedded.flush()
    assert [got.encoding for got in receiver.got] == [word]
    assert receiver.spans == ["a"]


def test_session_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a variable names who brings the session, it stays his."""
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER", "somebody")
    given, _ = options(Destination("traces", HTTP, NEAR))

    assert "session" not in given


@pytest.mark.parametrize(
    ("preference", "temporality"), [(None, 2), ("delta", 1), ("lowmemory", 1), ("cumulative", 2)]
)
def test_temporality(
    receive: Callable[..., Receiver],
    private: Maker,
    monkeypatch: pytest.MonkeyPatch,
    preference: str | None,
    temporality: int,
) -> None:
    """Counters are cumulative, unless the variable asks for deltas."""
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

    if preference is not None:
        name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
        monkeypatch.setenv(name, preference)
    receiver = receive()
    embedded = private("metrics")
    embedded.provider.get_meter("m").create_counter("c").add(1)
    embedded.flush()

    sent: Any = metrics_service_pb2.ExportMetricsServiceRequest.FromString(receiver.got[0].body)
    metric = sent.resource_metrics[0].scope_metrics[0].metrics[0]
    assert metric.sum.aggregation_temporality == temporality
