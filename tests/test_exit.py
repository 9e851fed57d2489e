"""Whole programs: what is exported when they end or fork, and what they see of our faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from otel_stream import errors

SOURCE = Path(errors.__file__).parents[1]
# Python 3.12 and later warn of every fork beside threads.
WARNINGS = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")
BEGIN = """
import os, sys, threading
from opentelemetry import trace, metrics
from otel_stream.settings import Settings
from otel_stream.export.telemetry import Telemetry

telemetry = Telemetry(Settings.resolve(shutdown_timeout=float(os.environ.get("SECONDS", "5"))))
"""
EXPORTERS = """
import threading
from opentelemetry.sdk.trace.export import SpanExporter

class Hanging(SpanExporter):
    def export(self, spans):
        threading.Event().wait()

class Raising(SpanExporter):
    def export(self, spans):
        raise RuntimeError("the exporter is broken")
"""
ENTRY_POINTS = """[opentelemetry_traces_exporter]
hanging = odd_exporters:Hanging
raising = odd_exporters:Raising
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in a folder of its own, beside a library with odd exporters."""
    (tmp_path / "odd_exporters.py").write_text(EXPORTERS)
    metadata = tmp_path / "odd-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: odd\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)

    def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(tmp_path), str(SOURCE), str(SOURCE / "instrumentation")])
        return subprocess.run(
            [sys.executable, *WARNINGS, "-c", BEGIN + dedent(program)],
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def spans_of(folder: Path) -> list[str]:
    return [
        span["name"]
        for line in lines_of(folder, "traces")
        for span in line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    ]


def lines_of(folder: Path, signal: str) -> list[Any]:
    path = folder / "otel-stream-data" / f"{signal}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


class TestExit:
    def test_flushed(self, run: Run, tmp_path: Path) -> None:
        """A short program loses nothing when it ends, and is as quiet as without us."""
        ended = run("""
            telemetry.tracer().start_span("a span").end()
            telemetry.meter().create_counter("cups").add(1)
            print("done")
        """)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
        assert spans_of(tmp_path) == ["a span"]
        assert len(lines_of(tmp_path, "metrics")) == 1

    def test_callbacks_come_first(self, run: Run, tmp_path: Path) -> None:
        """What is still open at exit can be ended, and is exported."""
        run("""
            span = telemetry.tracer().start_span("still open")
            telemetry.before_exit(span.end)
        """)

        assert spans_of(tmp_path) == ["still open"]

    @pytest.mark.parametrize("first_used", ["before", "after"])
    def test_before_the_applications_own_hook(self, run: Run, first_used: str) -> None:
        """What is open ends before a provider is ended that the application made after our line."""
        ended = run(f"""
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
            if {first_used == "before"}:
                telemetry.tracer().start_span("private").end()
            provider = TracerProvider()
            provider.add_span_processor(
                SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name))
            )
            trace.set_tracer_provider(provider)
            span = telemetry.tracer().start_span("ended at exit")
            telemetry.before_exit(span.end)
        """)

        assert (ended.stdout, ended.stderr) == ("ended at exit", "")

    def test_exporter_that_hangs(self, run: Run) -> None:
        """An exporter that hangs costs the set time at exit and one line that counts the loss."""
        began = time.monotonic()
        program = """
            for _ in range(3):
                telemetry.tracer().start_span("a span").end()
                telemetry.flush(0.05)
            print("done")
        """
        ended = run(program, OTEL_TRACES_EXPORTER="hanging", SECONDS="0.5")
        assert (ended.returncode, ended.stdout) == (0, "done\n")
        assert ended.stderr == (
            "otel-stream waited 0.5 s at the end for the export of traces; "
            "what did not go is lost (3 spans)\n"
        )
        assert time.monotonic() - began < 10.0

    def test_collector_that_is_not_there(self, run: Run) -> None:
        """Nor does a collector that is not there, and the line says why and what is lost."""
        program = """
            telemetry.tracer().start_span("a span").end()
            telemetry.meter().create_counter("cups").add(1)
        """
        ended = run(program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", SECONDS="0.5")

        assert ended.returncode == 0
        assert len(ended.stderr.splitlines()) == 1
        assert "what did not go is lost (1 span)" in ended.stderr
        assert "Connection refused" in ended.stderr

    def test_exporter_that_raises(self, run: Run) -> None:
        """An exporter that raises costs one line when it does so first, and one at the end."""
        program = """
            for _ in range(3):
                telemetry.tracer().start_span("a span").end()
                telemetry.flush()
            print(telemetry.export_failures)
        """
        ended = run(program, OTEL_TRACES_EXPORTER="raising")
        first, last = ended.stderr.splitlines()
        assert (ended.returncode, ended.stdout) == (0, "{'traces': 3}\n")
        assert first.endswith("RuntimeError: the exporter is broken")
        assert last == "otel-stream ends; lost on the way: 3 spans"

    @pytest.mark.parametrize("broken", ["full disk", "no folder"])
    def test_nowhere_to_write(self, run: Run, tmp_path: Path, broken: str) -> None:
        """A full disk or a folder that cannot be made costs a line for all signals, and the sum."""
        folder = tmp_path / "otel-stream-data"
        if broken == "full disk":
            folder.mkdir()
            for name in ("traces.jsonl", "metrics.jsonl"):
                (folder / name).symlink_to("/dev/full")
        else:
            folder.write_text("")
        ended = run("""
            telemetry.tracer().start_span("a span").end()
            telemetry.meter().create_counter("cups").add(1)
            telemetry.flush()
            telemetry.tracer().start_span("another").end()
            print("done")
        """)
        assert (ended.returncode, ended.stdout) == (0, "done\n")
        assert ended.stderr.splitlines()[1:] == ["otel-stream ends; lost on the way: 2 spans"]


class TestGlobal:
    def test_set(self, run: Run) -> None:
        """`set_global` makes ours the global ones, at once and for all signals."""
        ended = run("""
            from opentelemetry import _logs
            telemetry = Telemetry(Settings.resolve(set_global=True))
            span = trace.get_tracer("app").start_span("a span")
            print(span.is_recording(), metrics.get_meter_provider(), _logs.get_logger_provider())
        """)

        assert ended.stderr == ""
        assert ended.stdout.startswith("True <opentelemetry.sdk.metrics.")
        assert "<opentelemetry.sdk._logs." in ended.stdout

    def test_not_over_the_applications(self, run: Run) -> None:
        """A provider that is global already stays."""
        ended = run("""
            from opentelemetry.sdk.trace import TracerProvider
            provider = TracerProvider()
            trace.set_tracer_provider(provider)
            telemetry = Telemetry(Settings.resolve(set_global=True))
            print(trace.get_tracer_provider() is provider)
        """)

        assert (ended.stdout, ended.stderr) == ("True\n", "")

    def test_named_by_a_variable(self, run: Run) -> None:
        """A provider that the API's variable names is used, though nobody has loaded it yet."""
        ended = run(
            "print(type(telemetry.tracer()).__module__)",
            OTEL_PYTHON_TRACER_PROVIDER="sdk_tracer_provider",
        )

        assert (ended.stdout, ended.stderr) == ("opentelemetry.sdk.trace\n", "")


FORK = """
telemetry.tracer().start_span("before the fork").end()
counter = telemetry.meter().create_counter("cups")
counter.add(100)
child = os.fork()
telemetry.tracer().start_span("in the child" if child == 0 else "in the parent").end()
telemetry.meter().create_counter("cups").add(1)
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


class TestFork:
    def test_spans(self, run: Run, tmp_path: Path) -> None:
        """Parent and child each export their own spans, once."""
        ended = run(FORK)

        assert ended.stderr == ""
        assert sorted(spans_of(tmp_path)) == ["before the fork", "in the child", "in the parent"]

    def test_counts(self, run: Run, tmp_path: Path) -> None:
        """What the parent counted is not counted again by the child."""
        run(FORK)
        counts = [
            int(metric["sum"]["dataPoints"][0]["asInt"])
            for line in lines_of(tmp_path, "metrics")
            for metric in line["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        ]

        assert sorted(counts) == [1, 101]

    def test_open_span(self, run: Run, tmp_path: Path) -> None:
        """A span that is open at the fork is exported by the parent only, though both end it."""
        run("""
            span = telemetry.tracer().start_span("open at the fork")
            provider = telemetry._private["traces"].provider
            child = os.fork()
            span.end()
            provider.force_flush()
            if child:
                os.waitpid(child, 0)
        """)

        assert spans_of(tmp_path) == ["open at the fork"]

    def test_flush_in_the_child(self, run: Run, tmp_path: Path) -> None:
        """A child that leaves without its exit hooks can flush before."""
        ended = run("""
            telemetry.tracer()
            child = os.fork()
            if child == 0:
                telemetry.tracer().start_span("in the child").end()
                os._exit(0 if telemetry.flush() else 1)
            print(os.waitpid(child, 0)[1])
        """)
        assert (ended.stdout, ended.stderr) == ("0\n", "")
        assert spans_of(tmp_path) == ["in the child"]

    def test_global_one_goes_on(self, run: Run, tmp_path: Path) -> None:
        """A provider of ours that is the global one works in the child as well."""
        ended = run("""
            telemetry = Telemetry(Settings.resolve(set_global=True))
            telemetry.tracer().start_span("before the fork").end()
            telemetry.flush()
            child = os.fork()
            if child == 0:
                trace.get_tracer("application").start_span("in the child").end()
                os._exit(0 if telemetry.flush() else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """)

        assert (ended.stdout, ended.stderr) == ("0\n", "")
        assert sorted(spans_of(tmp_path)) == ["before the fork", "in the child"]
