"""Commands that take minutes, run so that one sees that they go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["CommandError", "output", "run"]

_TELL_EVERY = 15.0
_LAST_LINES = 20


class CommandError(Exception):
    """A command failed; the message has its last lines."""


def run(
    what: str,
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path,
) -> None:
    """Run a command, say what it does, and every 15 s how long it has been at it.

    Raises:
        CommandError: It cannot be started, or ends with another status than 0.
    """
    began = time.monotonic()
    _tell(what)
    with log.open("ab") as kept:
        try:
            process = subprocess.Popen(
                command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                stdout=kept, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise CommandError(f"{command[0]}: {error.strerror or error}") from error
        try:
            status = _wait(process, lambda: _tell(f"{what} ({time.monotonic() - began:.0f} s)"))
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status:
        raise CommandError(f"{what}: `{' '.join(command)}` failed:\n{_end(log)}")
    _tell(f"{what}: done in {time.monotonic() - began:.0f} s")


def output(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> str:
    """What a short command prints.

    Raises:
        CommandError: It cannot be started, or ends with another status than 0.
    """
    try:
        done = subprocess.run(
            command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise CommandError(f"{command[0]}: {error.strerror or error}") from error
    if done.returncode:
        raise CommandError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    return done.stdout


def _wait(process: subprocess.Popen[bytes], tell: Callable[[], None]) -> int:
    while True:
        try:
            return process.wait(_TELL_EVERY)
        except subprocess.TimeoutExpired:
            tell()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _end(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-_LAST_LINES:])
