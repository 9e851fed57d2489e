"""The standard variables that the doctor reads for the SDK: what is right, and what is wrong."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from opentelemetry.sdk import environment_variables

from otel_stream import errors
from otel_stream.doctor import examine, variables

CORRECT = "correct the variable, or unset it"


@pytest.fixture(autouse=True)
def no_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of earlier tests are none of this one's."""
    monkeypatch.setattr(errors, "faults", Counter())


def said() -> list[tuple[str, str]]:
    """Everything that needs doing, with its remedy."""
    return [(each.what, each.remedy) for each in examine().problems]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "x", "a whole number, 0 or more"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", "a whole number, 0 or more"),
        ("OTEL_BSP_SCHEDULE_DELAY", "q", "whole milliseconds, 1 or more"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "0", "a whole number, 1 or more"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "abc", "milliseconds, more than 0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "nan", "milliseconds, more than 0"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "ALWAYS_ON", "one of always_on, always_off, trace_based"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c", "key=value, with commas between several"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "seconds, more than 0"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "0", "seconds, more than 0"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "one of none, gzip, deflate"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nope", "the path of a file that exists"),
        ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "/nope", "the path of a file that exists"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:4318",
            "a URL with its scheme, such as http://localhost:4318",
        ),
        (
            "OTEL_TRACES_SAMPLER",
            "foo",
            "one of always_on, always_off, parentbased_always_on, parentbased_always_off, "
            "traceidratio, parentbased_traceidratio",
        ),
    ],
)
def test_wrong(monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: str) -> None:
    """Each is one problem that says what was given and what is expected."""
    monkeypatch.setenv(name, text)

    assert said() == [(f"{name}={text!r}: expected {expected}", CORRECT)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "0"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", ""),
        ("OTEL_METRIC_EXPORT_INTERVAL", "2500.5"),
        ("OTEL_TRACES_SAMPLER", "ALWAYS_OFF"),
        ("OTEL_TRACES_SAMPLER_ARG", "what a sampler of another vendor reads"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a b,deployment=x=y,"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20Zm9v, x-team = a b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", sys.executable),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://me:key@collector/in?token=1"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
    ],
)
def test_right(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """What the SDK can read needs no doing, and neither does what is empty."""
    monkeypatch.setenv(name, text)

    assert said() == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization: Bearer secret"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "me:secret@collector:4318/?key=secret"),
    ],
)
def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """A report is sent to others: it has neither tokens nor passwords."""
    monkeypatch.setenv(name, text)

    assert [what.partition(":")[0].partition("=")[0] for what, _ in said()] == [name]
    assert "secret" not in examine().as_json()


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_the_password_of_a_store_is_not_shown(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """Where messages wait is a setting like others, whether it can be used or not."""
    address = f"{scheme}://me:secret@db.example/bot?password=secret"
    monkeypatch.setenv("OTEL_STREAM_DELIVERY_STORE", address)
    report = examine().as_json()

    assert "delivery_store" in report.lower()
    assert "secret" not in report


def test_grpc_needs_no_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over gRPC an address is enough; nor is looked at what another endpoint overrides."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318/v1/traces")

    assert said() == []


@pytest.mark.parametrize(("text", "problems"), [("0.5", 0), ("50", 1), ("half", 1)])
def test_the_ratio_of_a_sampler(monkeypatch: pytest.MonkeyPatch, text: str, problems: int) -> None:
    """A sampler by ratio has its argument looked at."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", text)

    assert (
        said()
        == [(f"OTEL_TRACES_SAMPLER_ARG={text!r}: expected a number from 0 to 1", CORRECT)]
        * problems
    )


def test_a_sampler_that_a_library_brings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Samplers of other vendors are known by their entry points."""
    metadata = tmp_path / "sampling-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: sampling\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[opentelemetry_traces_sampler]\nours = m:f\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "ours")

    assert said() == []


def test_a_queue_too_short_for_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be right by itself, and together they keep the provider from being made."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")

    assert said() == [
        (
            "OTEL_BSP_MAX_QUEUE_SIZE is 100, and OTEL_BSP_MAX_EXPORT_BATCH_SIZE is 512: "
            "no spans can be exported",
            "set OTEL_BSP_MAX_EXPORT_BATCH_SIZE to 100 or less",
        )
    ]


def test_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all is off, what nobody reads is not said."""
    monkeypatch.setenv("OTEL_STREAM_DISABLED", "true")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "q")

    assert [what for what, _ in said()] == ["OTEL_STREAM_DISABLED switches otel-stream off"]


def test_the_table_names_what_there_is() -> None:
    """Each variable of the table is one that the SDK knows."""
    known = {value for name, value in vars(environment_variables).items() if "OTEL_" in name}
    signals = ("", "TRACES_", "METRICS_", "LOGS_")
    named = {f"OTEL_EXPORTER_OTLP_{each}{what}" for each in signals for what in variables.OTLP}

    assert named.union(variables.SDK) - known == set()
