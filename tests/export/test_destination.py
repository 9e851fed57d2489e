from __future__ import annotations

import sys
from pathlib import Path

import pytest

from otel_stream.errors import MissingExtraError, SettingsError
from otel_stream.export.destination import FILE, GRPC, HTTP, PROMETHEUS, destinations
from otel_stream.export.embedded import prepare
from otel_stream.settings import Settings


class TestDestinations:
    @pytest.mark.parametrize(
        ("signal", "variables", "want"),
        [
            ("traces", {}, [(FILE, "/data/traces.jsonl")]),
            (
                "metrics",
                {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"},
                [(HTTP, "http://c:4318/v1/metrics")],
            ),
            (
                "traces",
                {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://user:key@c/in?token=1"},
                [(HTTP, "https://c/in")],
            ),
            (
                "logs",
                {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/in"},
                [(FILE, "/data/logs.jsonl")],
            ),
            (
                "traces",
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317",
                    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                },
                [(GRPC, "http://c:4317")],
            ),
            (
                "traces",
                {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"},
                [(GRPC, "http://localhost:4317")],
            ),
            (
                "traces",
                {"OTEL_TRACES_EXPORTER": "console, otlp"},
                [("console", "the exporter 'console'"), (HTTP, "http://localhost:4318/v1/traces")],
            ),
            (
                "logs",
                {"OTEL_LOGS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"},
                [],
            ),
            (
                "metrics",
                {"OTEL_METRICS_EXPORTER": "prometheus"},
                [(PROMETHEUS, "http://127.0.0.1:9464/metrics")],
            ),
        ],
    )
    def test_variables(
        self,
        monkeypatch: pytest.MonkeyPatch,
        signal: str,
        variables: dict[str, str],
        want: list[tuple[str, str]],
    ) -> None:
        """The standard variables say where a signal goes, each signal by itself."""
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        found = destinations(signal, Settings.resolve(data_dir="/data"))

        assert [(each.exporter, each.where) for each in found] == want

    def test_prometheus_beside_files(self) -> None:
        """`prometheus=True` serves metrics beside the file."""
        settings = Settings.resolve(data_dir="/data", prometheus=True, prometheus_host="::1")
        found = destinations("metrics", settings)

        assert [each.where for each in found] == [
            "/data/metrics.jsonl",
            "http://[::1]:9464/metrics",
        ]

    def test_whole_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder that is told by its name is shown with its whole path."""
        monkeypatch.chdir(tmp_path)
        (found,) = destinations("traces", Settings.resolve())

        assert found.where == str(tmp_path / "otel-stream-data" / "traces.jsonl")


class TestPrepare:
    @pytest.mark.parametrize(
        ("module", "variables", "extra"),
        [
            (
                "opentelemetry.exporter.otlp.proto.grpc",
                {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
                "grpc",
            ),
            (
                "opentelemetry.exporter.prometheus",
                {"OTEL_METRICS_EXPORTER": "prometheus"},
                "prometheus",
            ),
        ],
    )
    def test_missing_extra(
        self,
        monkeypatch: pytest.MonkeyPatch,
        module: str,
        variables: dict[str, str],
        extra: str,
    ) -> None:
        """What needs an extra that is not installed says how to install it."""
        monkeypatch.setitem(sys.modules, module, None)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(MissingExtraError) as error:
            prepare("metrics", Settings.resolve())

        assert f"pip install 'otel-stream[{extra}]'" in str(error.value)

    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("OTEL_TRACES_EXPORTER", "spam", "console, file, none, otlp"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/spam", "grpc, http/protobuf"),
        ],
    )
    def test_unknown_name(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
    ) -> None:
        """A name that does not exist is an error that says which ones do."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c")
        monkeypatch.setenv(name, value)

        with pytest.raises(SettingsError) as error:
            prepare("traces", Settings.resolve())

        assert str(error.value).startswith(f"{name}={value!r}: expected ")
        assert allowed in str(error.value)
