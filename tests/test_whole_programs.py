"""Whole programs on the real SDK: ended with a stream open, forked, interrupted, out of disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_stream import errors

SOURCE = Path(errors.__file__).parents[1]
# From 3.12 on Python warns of every fork beside threads, which the server's are.
WARNINGS = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")
BEGIN = """
import os, sys, threading, time
import openai
import otel_stream
from otel_stream.testing import ProviderServer, Script, chat_text
from otel_stream.watcher import watcher

if os.environ.get("TRACED", "yes") == "yes":
    otel_stream.instrument(only="openai")
server = ProviderServer().start()
server.script(None, Script.stream(chat_text(["Hello", " you"])[:-2], ending="hang"), times=3)
client = openai.OpenAI(base_url=server.openai_url, api_key="k")

def create():
    messages = [{"role": "user", "content": "Hi"}]
    return client.chat.completions.create(model="m", messages=messages, stream=True)

def interrupt_when_waiting(chunks):
    \"\"\"Send SIGINT once the main thread waits for a chunk that does not come.\"\"\"
    def wait():
        while not any(one.in_read and one.chunks == chunks for one in watcher.open):
            time.sleep(0.001)
        os.kill(os.getpid(), 2)
    threading.Thread(target=wait, daemon=True).start()
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in a folder of its own."""

    def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(SOURCE), str(SOURCE / "instrumentation")])
        return subprocess.run(
            [sys.executable, *WARNINGS, "-c", BEGIN + textwrap.dedent(program)],
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def spans_of(folder: Path) -> list[dict[str, Any]]:
    """The attributes of each exported span."""
    path = folder / "otel-stream-data" / "traces.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    spans = [
        span
        for line in lines
        for resource in line["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    return [{a["key"]: next(iter(a["value"].values())) for a in s["attributes"]} for s in spans]


def outcomes_of(folder: Path) -> list[tuple[str, int]]:
    """Outcome and chunks of each exported span."""
    return [
        (span["otel_stream.outcome"], int(span["otel_stream.chunk.count"]))
        for span in spans_of(folder)
    ]


def test_open_at_exit(run: Run, tmp_path: Path) -> None:
    """A stream that is open when the program ends is exported as abandoned, with what it had."""
    ended = run("""
        stream = create()
        for _ in range(2):
            print(next(stream).choices[0].delta.content)
    """)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "\nHello\n", "")
    assert outcomes_of(tmp_path) == [("abandoned", 2)]


def test_left_shortly_before_exit(run: Run, tmp_path: Path) -> None:
    """A stream that was left, and waits for somebody to read on, was closed early."""
    ended = run("""
        stream = create()
        for _ in stream:
            break
    """)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert outcomes_of(tmp_path) == [("closed_early", 1)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_fork_with_an_open_stream(run: Run, tmp_path: Path) -> None:
    """A stream that is open at a fork is exported once, by the parent."""
    ended = run("""
        stream = create()
        next(stream)
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            next(stream)
            stream.close()
        else:
            del stream
            list(otel_stream.trace_stream(iter("abc")))
            assert watcher.open == []
    """)

    assert (ended.returncode, ended.stderr) == (0, "")
    # The child's own stream of three is its own to export.
    assert sorted(outcomes_of(tmp_path)) == [("closed_early", 2), ("completed", 3)]


def test_interrupted_while_reading(run: Run, tmp_path: Path) -> None:
    """Ctrl-C while the program waits for a chunk ends the stream as cancelled, and the program."""
    ended = run("""
        interrupt_when_waiting(3)
        for _ in create():
            pass
    """)

    assert ended.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in ended.stderr
    assert outcomes_of(tmp_path) == [("cancelled", 3)]


def test_interrupted_inside_with(run: Run, tmp_path: Path) -> None:
    """Ctrl-C in the body of a `with` block is no failure of the provider either."""
    ended = run("""
        try:
            with create() as stream:
                next(stream)
                os.kill(os.getpid(), 2)
                time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted")
    """)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted\n", "")
    assert outcomes_of(tmp_path) == [("cancelled", 1)]


READ = """
    for _ in range(3):
        stream = create()
        for _ in range(3):
            print(next(stream).choices[0].delta.content)
        stream.close()
        otel_stream.flush()
"""


@pytest.mark.parametrize("broken", ["full disk", "no folder"])
def test_nowhere_to_write(run: Run, tmp_path: Path, broken: str) -> None:
    """A full disk, or a folder where nothing can be written, costs a line, and one at the end."""
    folder = tmp_path / "otel-stream-data"
    if broken == "full disk":
        folder.mkdir()
        for signal_ in ("traces", "metrics", "logs"):
            (folder / f"{signal_}.jsonl").symlink_to("/dev/full")
    else:
        folder.write_text("")
    without = run(READ, TRACED="no")
    ended = run(READ)

    assert (ended.returncode, ended.stdout) == (0, without.stdout)
    assert without.stdout == "\nHello\n you\n" * 3
    assert ended.stderr.splitlines()[1:] == ["otel-stream ends; lost on the way: 3 spans"]


def test_read_only_folder(run: Run, tmp_path: Path) -> None:
    """A folder that may not be written, not even by root, costs no more."""
    ended = run(READ, OTEL_STREAM_DATA_DIR="/proc/otel-stream")

    assert (ended.returncode, ended.stdout) == (0, "\nHello\n you\n" * 3)
    first, last = ended.stderr.splitlines()
    assert "/proc/otel-stream" in first
    assert last == "otel-stream ends; lost on the way: 3 spans"
