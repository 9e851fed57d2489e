"""The command line: what it prints, how it ends, what it leaves alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import otel_stream
from otel_stream.__main__ import main

DOCS = Path(__file__).parents[1] / "docs"
# Everything that would go to a network or write a file is noted, and nothing is let through.
WATCHED = """
import os, sys
seen = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "os.mkdir", "os.rename"):
        seen.append((event, str(arguments)))
    if event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        seen.append((event, str(arguments)))
sys.dont_write_bytecode = True
sys.addaudithook(watch)
from otel_stream.__main__ import main
main(["doctor"])
print("seen:", seen)
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a Python of this environment in an empty folder."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_doctor_ends_well_when_all_is_well(run: Run) -> None:
    """Status 0, and the last line says so."""
    ended = run("-m", "otel_stream", "doctor")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "Nothing needs doing."


def test_doctor_ends_with_1_when_something_needs_doing(run: Run) -> None:
    """Status 1, for scripts; what it is stands on the page, and no traceback."""
    ended = run("-m", "otel_stream", "doctor", OTEL_STREAM_GRACE="soon")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert "OTEL_STREAM_GRACE='soon'" in ended.stdout


def test_doctor_speaks_json(run: Run) -> None:
    """`--json` prints one document."""
    ended = run("-m", "otel_stream", "doctor", "--json")
    report = json.loads(ended.stdout)

    assert (ended.returncode, report["healthy"]) == (0, True)
    assert report["versions"]["otel-stream"] == otel_stream.__version__


def test_doctor_touches_nothing(run: Run, tmp_path: Path) -> None:
    """No connection, no port, no file: also where settings ask for all three."""
    ended = run(
        "-c", WATCHED,
        OTEL_STREAM_PROMETHEUS="true",
        OTEL_STREAM_SET_GLOBAL="true",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://127.0.0.1:9/v1/traces",
    )  # fmt: skip

    assert ended.stdout.splitlines()[-1:] == ["seen: []"], ended
    assert list(tmp_path.iterdir()) == []


def test_a_reader_may_leave_early() -> None:
    """`otel-stream doctor | true` ends without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "otel_stream", "doctor"]
    ended = subprocess.run(command, check=False, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize(
    "arguments", [[], ["docter"], ["doctor", "--jsn"], ["streams", "--all"], ["pipeline"]]
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str]) -> None:
    """Status 2, and one line that says what is wrong and where to read more."""
    ended = run("-m", "otel_stream", *arguments)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(r"otel-stream[^\n]*: [^\n]+; see otel-stream[^\n]* --help\n", ended.stderr)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the version and nothing else."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"{otel_stream.__version__}\n")


def test_every_command_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has a page by its name, on which each option of it stands."""

    def helped(*words: str) -> str:
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        return capsys.readouterr().out

    def named(*words: str) -> list[str]:
        return re.findall(r"^ {4}(\w+) ", helped(*words).split("COMMAND\n")[1], re.MULTILINE)

    commands = [[command] for command in named() if command != "pipeline"]
    commands += [["pipeline", step] for step in named("pipeline")]
    for command in commands:
        page = (DOCS / f"{'-'.join(command)}.md").read_text()
        for option in set(re.findall(r"(?<!\w)--[a-z-]+", helped(*command))) - {"--help"}:
            asked = f"otel_stream {' '.join(command)} {option}"
            assert asked in page or f"| `{option}" in page, option

    assert commands == [["doctor"], ["streams"], ["pipeline", "check"]]
