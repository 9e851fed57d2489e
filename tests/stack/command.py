"""`python -m stack` as a program of its own, also on a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from stack.made.programs import Programs

__all__ = ["Command", "Done", "given", "run"]

ROOT = Path(__file__).parents[2]
_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


class Done(NamedTuple):
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


def given(programs: Programs) -> dict[str, str]:
    """Variables that name the programs, wherever they are."""
    return {
        "OTEL_STREAM_STACK_COLLECTOR": str(programs.collector()),
        "OTEL_STREAM_STACK_JAEGER": str(programs.jaeger()),
        "OTEL_STREAM_STACK_PROMETHEUS": str(programs.prometheus()),
        "OTEL_STREAM_STACK_INFLUXD": str(programs.influxd()),
    }


def run(*arguments: str, env: Mapping[str, str] | None = None, timeout: float = 30.0) -> Done:
    """Run it to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "stack", *arguments], cwd=ROOT, env=_environment(env),
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


class Command:
    """One that runs until it is asked to end. Left, it is made to.

    Args:
        arguments: Of the command.
        env: More variables.
        room: For what it prints, and its temporary files.
        terminal: Whether it runs on one.
    """

    def __init__(
        self, *arguments: str, env: Mapping[str, str], room: Path, terminal: bool = False
    ) -> None:
        command = [sys.executable, "-m", "stack", *arguments]
        self._said = room / "said"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _TERMINAL, *command] if terminal else command,
                cwd=ROOT, env=_environment({**env, "TMPDIR": str(room)}), stdin=subprocess.PIPE,
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(60)

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._said.read_text(errors="replace").replace("\r\n", "\n")

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        """What it has printed once that has a text in it."""
        until = time.monotonic() + timeout
        while text not in self.said:
            assert self._process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.05)
        return self.said

    def type(self, keys: str) -> None:
        """Type on its terminal."""
        assert self._process.stdin is not None
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ended(self, timeout: float = 60.0) -> int:
        """Its exit status."""
        return self._process.wait(timeout)


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return kept | dict(more or {})
