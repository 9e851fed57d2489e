"""`otel-stream pipeline check` as a command: what it prints where, how it ends."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

from otel_stream.pipeline.command import Progress
from otel_stream.pipeline.hop import Part

from .server import Server

COMMAND = [sys.executable, "-m", "otel_stream", "pipeline", "check"]
WAITING = [Part("Jaeger", "trace", "traces"), Part("InfluxDB", "metrics", "metrics")]


class Terminal(io.StringIO):
    """A terminal's end that keeps what is written."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_is_rewritten() -> None:
    """On a terminal it says what is waited for, and leaves nothing behind."""
    out = Terminal()
    progress = Progress(out)
    progress.tell(WAITING, 3.2)
    progress.clear()

    assert out.getvalue() == "\r\x1b[K3 s, waiting for Jaeger trace, InfluxDB metrics\r\x1b[K"


def test_there_is_no_progress_in_a_pipe() -> None:
    """Where nobody looks, nothing is written."""
    out = io.StringIO()
    progress = Progress(out)
    progress.tell(WAITING, 3.2)
    progress.clear()

    assert out.getvalue() == ""


def test_naming_nothing_is_wrong_usage() -> None:
    """Status 2, and one line that says what can be named."""
    ended = subprocess.run(COMMAND, check=False, capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(
        r"otel-stream pipeline check: name what to ask: --jaeger, [^\n]*\n", ended.stderr
    )


def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    """Status 130, no traceback, and the line of progress is gone."""
    terminal, its_end = pty.openpty()
    with Server(lambda asked: (200, {})) as server:
        process = subprocess.Popen(
            [*COMMAND, "--endpoint", server.url, "--jsonl", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=its_end,
        )
        shown = b""
        while b"waiting for" not in shown:
            shown += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=20)
    os.close(its_end)
    shown += os.read(terminal, 1000)
    os.close(terminal)

    assert (process.returncode, printed) == (130, b"")
    assert shown.endswith(b"\r\x1b[K")
    assert b"Traceback" not in shown
