"""Programs that are configured by a file, as far as OpenTelemetry applies it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors:
    - simple:
        exporter:
          otlp_file/development:
            output_stream: stdout
instrumentation/development:
  python:
"""
OPENAI, ANTHROPIC = ("chat gpt", "completed"), ("chat claude", "completed")

Run = Callable[..., Any]


@pytest.fixture
def configure(tmp_path: Path, run: Run) -> Run:
    """Runs the program with a configuration file; `python` is what stands under that key."""

    def configure(python: dict[str, Any], **variables: str) -> Any:
        options = [f"    {name}: {json.dumps(python[name])}\n" for name in python]
        file = tmp_path / "otel.yaml"
        file.write_text(CONFIGURATION + "".join(options))
        return run(OTEL_CONFIG_FILE=str(file), **variables)

    return configure


def test_options_of_the_file_reach_our_settings(configure: Run) -> None:
    """Under the entry point's name stand our settings, by the names that they have everywhere."""
    ended = configure({"otel_stream_openai": {"capture_content": "span", "stall_after": 3}})

    assert (ended.knew["capture_content"], ended.knew["stall_after"]) == ("span", 3.0)
    assert "Hello you" in ended.texts("chat gpt")["gen_ai.output.messages"]


def test_options_add_up(configure: Run) -> None:
    """There is one set of settings: each instrumentor may add what the others did not say."""
    ended = configure(
        {
            "otel_stream_openai": {"stall_after": 3},
            "otel_stream_anthropic": {"capture_content": "span"},
        }
    )

    assert (ended.knew["capture_content"], ended.knew["stall_after"]) == ("span", 3.0)
    assert "ignored" not in ended.log


def test_options_that_disagree_are_said(configure: Run) -> None:
    """What was said first stands, and one line says what does not hold."""
    ended = configure(
        {"otel_stream_openai": {"stall_after": 3}, "otel_stream_anthropic": {"stall_after": 4}}
    )

    assert ended.knew["stall_after"] == 3.0
    assert ended.log.count("stall_after ignored") == 1


def test_variables_hold_for_what_the_file_does_not_say(configure: Run) -> None:
    """An option that is not in the file is no option with its default."""
    ended = configure(
        {"otel_stream_openai": {"stall_after": 3}}, OTEL_STREAM_CAPTURE_CONTENT="span"
    )

    assert ended.knew["capture_content"] == "span"


def test_a_wrong_option_is_logged(configure: Run) -> None:
    """A value that cannot be used leaves the default; the calls are traced."""
    ended = configure({"otel_stream_openai": {"stall_after": "soon"}})

    assert "stall_after='soon': expected seconds" in ended.log
    assert ended.outcomes == [OPENAI, ANTHROPIC]


def test_an_unknown_option_is_logged(configure: Run) -> None:
    """A name that is no setting is named, and the calls are traced."""
    ended = configure({"otel_stream_openai": {"stal_after": 3}})

    assert "stal_after" in ended.log
    assert ended.outcomes == [OPENAI, ANTHROPIC]


def test_signals_that_the_file_leaves_out_go_nowhere(configure: Run, tmp_path: Path) -> None:
    """A file without a meter provider gets no metrics of ours, neither to a folder nor by OTLP."""
    ended = configure({"otel_stream_openai": {}}, OTEL_METRICS_EXPORTER="otlp_json_file")

    assert ended.outcomes == [OPENAI, ANTHROPIC]
    assert not (tmp_path / "otel-stream-data").exists()
