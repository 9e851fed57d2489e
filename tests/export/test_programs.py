"""Whole programs whose receiver is away: what they say and send when they end or fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from otel_stream import errors

from .receiver import Receiver, hang, status

SOURCE = Path(errors.__file__).parents[1]
WARNINGS = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")
BEGIN = """
import os, sys
from otel_stream.settings import Settings
from otel_stream.export.telemetry import Telemetry

telemetry = Telemetry(Settings.resolve(shutdown_timeout=float(os.environ.get("SECONDS", "5"))))

def span(name):
    telemetry.tracer().start_span(name).end()

def wait(text):
    print(text, flush=True)
    sys.stdin.readline()
"""

Receive = Callable[..., Receiver]
Eventually = Callable[..., bool]


class Program:
    """A program that runs while the test goes on."""

    def __init__(self, folder: Path, code: str, **variables: str) -> None:
        paths = os.pathsep.join([str(SOURCE), str(SOURCE / "instrumentation")])
        self._process = subprocess.Popen(
            [sys.executable, *WARNINGS, "-c", BEGIN + dedent(code)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def reached(self) -> str:
        """Wait until it waits. Returns what it says there."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def ended(self) -> tuple[int, str]:
        """Wait for its end. Returns its code, and what it said of faults."""
        _, said = self._process.communicate(timeout=60)
        return self._process.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Program]:
    """Starts a program in a folder of its own."""
    return lambda code, **variables: Program(tmp_path, code, **variables)


def test_comes_back_at_the_end(
    receive: Receive, start: Callable[..., Program], eventually: Eventually
) -> None:
    """A receiver that comes back while the program ends gets what waited; nothing is said."""
    receiver = receive(*[status(503)] * 3)
    program = start("span('a'); wait('ready')", SECONDS="30")
    program.reached()
    assert eventually(lambda: receiver.got)
    program.go_on()

    assert program.ended() == (0, "")
    assert receiver.spans == ["a"]


def test_hangs_at_the_end(receive: Receive, start: Callable[..., Program]) -> None:
    """One that hangs costs the set time and one line, with what was under way and what waited."""
    receive(*[hang] * 9)
    program = start("[span(str(number)) for number in range(600)]", SECONDS="1")

    assert program.ended() == (
        0,
        "otel-stream waited 1 s at the end for the export of traces; what did not go is lost "
        "(600 spans)\n",
    )


def test_refuses(receive: Receive, start: Callable[..., Program]) -> None:
    """One that refuses costs a line with the cause, and one with the numbers."""
    receive(*[status(403)] * 9)
    program = start("span('a'); telemetry.flush(); span('b')")
    code, said = program.ended()

    first, last = said.splitlines()
    assert code == 0
    assert "403 Forbidden" in first
    assert last == "otel-stream ends; lost on the way: 2 spans"


def test_prompt(receive: Receive, start: Callable[..., Program]) -> None:
    """Where the receiver asks for more time than there is, the end does not wait for it."""
    receive(*[status(503, retry_after="600")] * 9)
    program = start("span('a')", SECONDS="300")

    ended = threading.Event()
    said: list[str] = []
    thread = threading.Thread(target=lambda: (said.append(program.ended()[1]), ended.set()))
    thread.start()

    assert ended.wait(60)
    assert said == ["otel-stream ends; lost on the way: 1 span: 503 Service Unavailable\n"]


@pytest.mark.parametrize("options", ["", "set_global=True"])
def test_fork_while_it_is_away(
    receive: Receive, start: Callable[..., Program], eventually: Eventually, options: str
) -> None:
    """What the parent keeps is the parent's: the child sends its own, and each is sent once."""
    receiver = receive()
    receiver.close()
    program = start(
        f"""
        telemetry = Telemetry(Settings.resolve(shutdown_timeout=30.0, {options}))
        span("of the parent")
        while not telemetry.export_failures["traces"]:
            pass
        child = os.fork()
        if child == 0:
            span("of the child")
            sys.exit()
        wait("forked")
        assert os.waitpid(child, 0)[1] == 0
        """
    )
    assert program.reached() == "forked"
    receiver = receive(port=receiver.port)
    program.go_on()

    assert program.ended() == (0, "")
    assert sorted(receiver.spans) == ["of the child", "of the parent"]
