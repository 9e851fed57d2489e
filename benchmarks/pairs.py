"""A contender and the bare SDK, side by side: two processes that take turns, A B A B.

Machines are noisy, and whatever slows one of the two for a while slows the other as well.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any, TextIO, cast

from contenders import BARE, Contender

HERE = Path(__file__).resolve().parent
PATIENCE = 300.0
"""Seconds until an answer counts as never coming."""


class ContenderError(Exception):
    """A contender's process failed; the message is the last line of its traceback."""


class Process:
    """One `contender.py`, waiting for requests."""

    def __init__(self, python: Path, contender: Contender, log: Path) -> None:
        environ = {**clean_environ(), **contender.environ}
        command = [str(python), str(HERE / "contender.py")]
        self.log = log
        with log.open("w") as errors:
            self.child = subprocess.Popen(
                [*command, contender.name, *contender.libraries],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environ,
                text=True,
                bufsize=1,
            )
        self.versions: dict[str, str] = self.answer()["versions"]

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            ContenderError: The process ended instead, or took longer than `PATIENCE`.
        """
        with contextlib.suppress(BrokenPipeError):  # the missing answer says so
            cast(TextIO, self.child.stdin).write(json.dumps(request) + "\n")
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line that it prints."""
        timer = threading.Timer(PATIENCE, self.child.kill)
        timer.start()
        line = cast(TextIO, self.child.stdout).readline()
        timer.cancel()
        if not line:
            self.child.wait()
            raise ContenderError(self.last_words())
        return cast(dict[str, Any], json.loads(line))

    def last_words(self) -> str:
        """The last line of its standard error."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit status {self.child.returncode}"

    def close(self) -> None:
        """End it: it leaves when its input ends."""
        cast(TextIO, self.child.stdin).close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def clean_environ() -> dict[str, str]:
    """Our environment without settings of telemetry, and with the SDK's own span switched off."""
    prefixes = ("OTEL_", "ANTHROPIC_", "OPENAI_", "LANGFUSE_", "SENTRY_", "TRACELOOP_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


class Pair:
    """A contender's process and the bare one, in the same environment."""

    def __init__(self, python: Path, contender: Contender, logs: Path) -> None:
        bare = dataclasses.replace(BARE, libraries=contender.libraries)
        self.processes = [Process(python, bare, logs / f"{contender.name}-bare.log")]
        try:
            self.processes.append(Process(python, contender, logs / f"{contender.name}.log"))
        except ContenderError:
            self.close()
            raise
        self.versions = self.processes[1].versions

    def compare(self, repeats: int, warm: int, **request: Any) -> dict[str, list[Any]]:
        """The answers of both to the same request, taken in turns."""
        rounds = [
            [process.ask(**request) for process in self.processes] for _ in range(warm + repeats)
        ]
        bare, contender = zip(*rounds[warm:], strict=True)
        return {"bare": list(bare), "contender": list(contender)}

    def evidence(self) -> dict[str, Any]:
        """What the contender has recorded."""
        return self.processes[1].ask(measure="evidence")

    def close(self) -> None:
        """End both processes."""
        for process in self.processes:
            process.close()
