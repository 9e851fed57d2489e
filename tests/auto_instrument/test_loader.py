"""Programs that are started by `opentelemetry-instrument`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LEAVING = """
import openai
from otel_stream.testing import ProviderServer, Script, chat_text

server = ProviderServer().start()
server.script(None, Script.stream(chat_text(["Hello"])[:2], ending="hang"))
client = openai.OpenAI(base_url=server.openai_url, api_key="test")
asked = [{"role": "user", "content": "Hello?"}]
stream = client.chat.completions.create(model="gpt", messages=asked, stream=True)
next(stream)
print('{"active": []}')
"""
ABSENT = """
from otel_stream.instrumentor import StreamInstrumentor

class AbsentInstrumentor(StreamInstrumentor):
    def instrumentation_dependencies(self):
        return ("library-that-is-absent >= 1.0",)

    def _wrap(self, patches):
        raise AssertionError("there is nothing to wrap")
"""
INSTRUMENTATION = Path(__file__).parents[2] / "instrumentation"
ALL = sorted(path.parent.name for path in INSTRUMENTATION.glob("*/__init__.py"))
OPENAI, ANTHROPIC = ("chat gpt", "completed"), ("chat claude", "completed")

Run = Callable[..., Any]


def test_our_entry_points_load(run: Run, tmp_path: Path) -> None:
    """All are at work, with the distro's provider; there is no log line and no file of ours."""
    ended = run()

    assert ended.knew["active"] == ALL
    assert (ended.outcomes, ended.log) == ([OPENAI, ANTHROPIC], "")
    assert not (tmp_path / "otel-stream-data").exists()


def test_a_wrong_setting_is_logged_once(run: Run) -> None:
    """Both instrumentors read it, one line says so, the default stands, and the program runs."""
    ended = run(OTEL_STREAM_STALL_AFTER="soon")

    assert ended.log.count("OTEL_STREAM_STALL_AFTER='soon': expected seconds") == 1
    assert (ended.knew["stall_after"], ended.outcomes) == (2.0, [OPENAI, ANTHROPIC])


def test_one_of_ours_can_be_switched_off(run: Run) -> None:
    """The loader's own variable takes our names, which nobody else has."""
    ended = run(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="otel_stream_openai")

    assert set(ALL) - set(ended.knew["active"]) == {"otel_stream_openai"}
    assert ended.outcomes == [ANTHROPIC]


@pytest.mark.parametrize(
    "variables", [{"OTEL_STREAM_EXCLUDE": "openai"}, {"OTEL_STREAM_ONLY": "anthropic"}]
)
def test_our_own_choice_holds_too(run: Run, variables: dict[str, str]) -> None:
    """`only` and `exclude` mean the same here as in `instrument()`."""
    assert run(**variables).outcomes == [ANTHROPIC]


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED", "OTEL_STREAM_DISABLED"])
def test_disabled_wraps_nothing(run: Run, variable: str) -> None:
    """Switched off means that the SDKs are as their makers made them."""
    ended = run(**{variable: "true"})

    assert (ended.knew["active"], ended.outcomes) == ([], [])


def test_an_sdk_that_is_too_old_is_left_alone(run: Run, tmp_path: Path) -> None:
    """The other SDK is traced. Newer loaders say in one line which version is needed."""
    metadata = tmp_path / "openai-0.28.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: openai\nVersion: 0.28.0\n")
    ended = run()

    assert ended.log.count("openai >= 1.66.0") == len(ended.log.splitlines()) <= 1
    assert set(ALL) - set(ended.knew["active"]) == {"otel_stream_openai"}
    assert ended.outcomes == [ANTHROPIC]


def test_an_sdk_that_is_absent_is_skipped_quietly(run: Run, tmp_path: Path) -> None:
    """Nothing is said of what is not there."""
    metadata = tmp_path / "absent_tracer-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: absent-tracer\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[opentelemetry_instrumentor]\notel_stream_absent = otel_stream_absent:AbsentInstrumentor\n"
    )
    (tmp_path / "otel_stream_absent.py").write_text(ABSENT)
    ended = run()

    assert (ended.outcomes, ended.log) == ([OPENAI, ANTHROPIC], "")


def test_the_one_line_beside_the_loader(run: Run) -> None:
    """A program with our line, started by the loader, has one span a call and its own settings."""
    ended = run(first="import otel_stream\notel_stream.instrument(stall_after=7)\n")

    assert (ended.outcomes, ended.log) == ([OPENAI, ANTHROPIC], "")
    assert ended.knew["stall_after"] == 7.0


def test_streams_left_open_are_told_at_exit(run: Run) -> None:
    """The end of the program is the end of its streams, also when no line of ours was called."""
    assert run(program=LEAVING).outcomes == [("chat gpt", "abandoned")]
