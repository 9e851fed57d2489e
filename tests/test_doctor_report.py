"""What the doctor finds of this process: where data goes, settings, faults; and how it says so."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from opentelemetry import trace

from otel_stream import errors, runtime
from otel_stream.control import candidates
from otel_stream.doctor import examine
from otel_stream.doctor.page import page
from otel_stream.doctor.report import Report
from otel_stream.testing import Captured

ALL = ",".join(one.name for one in candidates())


@pytest.fixture(autouse=True)
def no_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of earlier tests are none of this one's."""
    monkeypatch.setattr(errors, "faults", Counter())


def where() -> dict[str, str]:
    """Where the doctor says that each signal goes."""
    return {each.signal: each.where for each in examine().destinations}


@pytest.fixture
def no_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra `grpc` is not installed."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc", None)


def said() -> str:
    """Everything that needs doing."""
    return "\n".join(f"{each.what} -> {each.remedy}" for each in examine().problems)


# --- where the data goes --------------------------------------------------------------------------


def test_files_are_named_with_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default the files, with their whole path, which the doctor does not make."""
    monkeypatch.chdir(tmp_path)

    assert where()["traces"] == str(tmp_path / "otel-stream-data" / "traces.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_an_endpoint_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of the collector, and no credentials."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@collector:4318")

    assert where()["traces"] == "http://collector:4318/v1/traces"


def test_logs_are_not_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their file is there for who asks for it: by default nothing of ours is written into it."""
    before = [each.notes for each in examine().destinations]
    monkeypatch.setenv("OTEL_STREAM_EVENTS", "log")

    assert [bool(notes) for notes in before] == [False, False, True]
    assert "unless events or content are to go there" in before[2][0]
    assert [each.notes for each in examine().destinations] == [[], [], []]


def test_providers_of_the_application_are_named(otel_stream_captured: Captured) -> None:
    """A provider that was given is where the data goes."""
    assert where()["traces"].startswith("the one given, opentelemetry.sdk.trace.TracerProvider")


def test_describing_registers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`set_global` is only reported: no provider is made for it, and no runtime is installed."""
    monkeypatch.setenv("OTEL_STREAM_SET_GLOBAL", "true")
    before = trace.get_tracer_provider()
    examine()

    assert trace.get_tracer_provider() is before
    assert runtime.installed() is None


def test_a_folder_that_cannot_be_written_needs_doing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said once, although three files would lie in it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTEL_STREAM_DATA_DIR", str(tmp_path / "file" / "data"))

    assert said().count("files cannot be written") == 1


def test_the_port_of_the_other_protocol_needs_doing(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP to the port on which collectors expect gRPC gets nowhere."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317")

    assert "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or the endpoint's port to 4318" in said()


def test_an_exporter_that_is_not_installed_needs_doing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, and what it may name."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")

    assert "OTEL_TRACES_EXPORTER='zipkin': expected some of" in said()


@pytest.mark.usefixtures("no_grpc")
def test_without_grpc_nothing_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, or the very variable to set, and no address that nobody is sent to."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")

    assert where()["traces"].startswith("nowhere: OTLP over gRPC needs")
    assert (
        "pip install 'otel-stream[grpc]', or set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"
    ) in said()


@pytest.mark.usefixtures("no_grpc")
def test_an_exporter_that_is_named_is_to_be_named_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the exporter's name says gRPC, no protocol would help."""
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "otlp_proto_grpc")

    assert said().endswith("[grpc]', or name otlp_proto_http in OTEL_LOGS_EXPORTER")


@pytest.mark.usefixtures("no_grpc")
def test_what_the_distro_sets_is_not_blamed_on_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """`opentelemetry-instrument` asks for gRPC where the user has asked for nothing."""
    monkeypatch.setitem(sys.modules, "opentelemetry.distro", ModuleType("opentelemetry.distro"))
    for signal in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    [problem] = examine().problems

    assert "opentelemetry-distro sets OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in problem.what
    assert problem.remedy == (
        "pip install 'otel-stream[grpc]', or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    )


def test_a_sampler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever misses spans finds the variable that keeps them out."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    assert "OTEL_TRACES_SAMPLER=always_off" in page(examine())


# --- settings and faults --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("OTEL_STREAM_STALL_AFTER", "1.5", ("stall_after", "1.5", "2.0")),
        ("OTEL_STREAM_EXCLUDE", "openai", ("exclude", "openai", "")),
        ("OTEL_SERVICE_NAME", "chat", ("service_name", "chat", "")),
    ],
)
def test_settings_say_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, shown: tuple[str, str, str]
) -> None:
    """Name, value, default, and the variable that decided: ours or a standard one."""
    monkeypatch.setenv(variable, value)
    [found] = examine().settings

    assert (found.name, found.value, found.default) == shown
    assert found.source == variable


@pytest.mark.otel_stream(stall_after=1.0)
def test_arguments_are_told_from_variables(
    otel_stream_captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An argument stands before a variable, and is said to."""
    monkeypatch.setenv("OTEL_STREAM_STALL_AFTER", "9")
    [found] = examine().settings

    assert (found.value, found.source) == ("1.0", "argument")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("OTEL_STREAM_GRACE", "soon", "OTEL_STREAM_GRACE='soon': expected seconds, 0 or more"),
        ("OTEL_STREAM_GRCE", "1", "did you mean OTEL_STREAM_GRACE?"),
        ("OTEL_STREAM_ONLY", "cohere", "OTEL_STREAM_ONLY='cohere': no such instrumentor; there "),
        (
            "OTEL_STREAM_EXCLUDE",
            ALL,
            "leave nothing to instrument",
        ),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "x", "the variable is ignored"),
        ("OTEL_SDK_DISABLED", "true", "OTEL_SDK_DISABLED switches otel-stream off"),
    ],
)
def test_wrong_settings_need_doing(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    """Each is named with what is allowed."""
    monkeypatch.setenv(variable, value)

    assert problem in said()


def test_faults_of_ours_are_counted(lenient: None) -> None:
    """What was swallowed in this process is not hidden from the doctor."""
    errors.report("a test", ValueError("on purpose"))
    report = examine()

    assert report.faults == {"a test": 1}
    assert [each.what for each in report.problems] == ["a test (count: 1)"]


# --- the report -----------------------------------------------------------------------------------


def test_the_page_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of printable ASCII, and the problems with their remedies at the end."""
    monkeypatch.setenv("OTEL_STREAM_GRACE", "soon")
    text = page(examine())

    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert text.splitlines()[-3:] == [
        "One thing needs doing:",
        "  1. OTEL_STREAM_GRACE='soon': expected seconds, 0 or more",
        "     -> correct the variable, or unset it",
    ]


def test_the_page_is_the_same_twice() -> None:
    """Two looks at the same environment read the same."""
    assert page(examine()) == page(examine())


def test_json_is_the_whole_report() -> None:
    """Machines get what people get."""
    report = examine()

    assert msgspec.json.decode(report.as_json(), type=Report) == report
