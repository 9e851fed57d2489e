"""What is refused where it is said, and that nothing of ours is left behind then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import otel_stream
from otel_stream import SettingsError, runtime

NO_PROMETHEUS = """
import sys
sys.modules["opentelemetry.exporter.prometheus"] = None
import otel_stream
from opentelemetry import trace

try:
    otel_stream.instrument(prometheus=True, {more})
except otel_stream.MissingExtraError as error:
    print(error)
print(type(trace.get_tracer_provider()).__name__)
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"callbacks": print},
            "callbacks=<built-in function print>: expected an otel_stream.Callbacks",
        ),
        (
            {"tracer_provider": "x"},
            "tracer_provider='x': expected an object with the method get_tracer",
        ),
        ({"meter_provider": 5}, "meter_provider=5: expected an object with the method get_meter"),
        (
            {"logger_provider": 5},
            "logger_provider=5: expected an object with the method get_logger",
        ),
        (
            {"only": "openai", "exclude": ["openai"]},
            "only and exclude both name openai: expected in one of them",
        ),
        (
            {"only": "opnai"},
            "only='opnai': no such instrumentor;"
            " there are: agno, agno_http, anthropic, evolution, openai, pywa",
        ),
    ],
)
def test_arguments(arguments: dict[str, Any], said: str) -> None:
    """`instrument` says what was given and what is expected, and sets up nothing."""
    with pytest.raises(SettingsError) as error:
        otel_stream.instrument(**arguments)

    assert str(error.value) == said
    assert (runtime.installed(), runtime.instrumented) == (None, {})


def test_a_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who misspells a library in a variable reads the variable's name."""
    monkeypatch.setenv("OTEL_STREAM_EXCLUDE", "anthropic, opnai")

    with pytest.raises(SettingsError, match=r"^OTEL_STREAM_EXCLUDE='opnai': no such instrumentor"):
        otel_stream.instrument()


@pytest.mark.parametrize("more", ["", "set_global=True"])
def test_nothing_is_left_behind(tmp_path: Path, more: str) -> None:
    """A refused `instrument` registers nothing, also no global provider, and the end is silent."""
    command = [sys.executable, "-c", NO_PROMETHEUS.format(more=more)]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ), check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "Prometheus needs: pip install 'otel-stream[prometheus]'\nProxyTracerProvider\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kind"),
    [(5, "int"), (None, "NoneType"), ([], "list"), (SettingsError, "the class SettingsError")],
)
def test_untraced_wants_a_client(given: object, kind: str) -> None:
    """What is no client is told so in one line."""
    with pytest.raises(TypeError) as error:
        otel_stream.untraced(given)

    assert str(error.value) == (
        f"untraced() expects an SDK client, such as openai.OpenAI(), not {kind}"
    )
