"""A server run as a child process: started, waited for, killed, started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

__all__ = ["NotReady", "Process"]

_LAST_LINES = 15
_OUTLIVES_NOBODY = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
"""Ends a server with the thread that started it, also when that is killed."""


class NotReady(Exception):
    """A server ended, or did not answer in time; the message has its last lines."""


class Process:
    """One server.

    Args:
        name: For messages.
        command: The program and its arguments.
        env: Variables beside those of this process.
        room: Its folder: it runs there, and its log is `NAME.log` there.
        ready: A URL that answers with a status below 400 when it can be used, or what tells.
        patience: Seconds that it is given to end when asked to.
        asked_by: The signal that asks it to.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        room: Path,
        ready: str | Callable[[], bool],
        env: Mapping[str, str] | None = None,
        patience: float = 20.0,
        asked_by: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.env = dict(env or {})
        self.room = room
        self.log = room / f"{name}.log"
        self._ready = ready
        self._patience = patience
        self._asked_by = asked_by
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Process:
        try:
            self.start()
        except BaseException:  # not ready in time, or Ctrl-C while it starts
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The number of the process that runs.

        Raises:
            NotReady: None runs.
        """
        if self._running is None:
            raise NotReady(f"{self.name} does not run")
        return self._running.pid

    @property
    def status(self) -> int | None:
        """How it ended by itself, as `subprocess` tells it; None while it runs, or was stopped."""
        return None if self._running is None else self._running.poll()

    def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it can be used.

        Raises:
            NotReady: It ended, or was not ready in so many seconds.
        """
        self.launch()
        self.wait_ready(timeout)

    def launch(self) -> None:
        """Start it."""
        self.room.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [*_OUTLIVES_NOBODY, *self.command], cwd=self.room,
                env={**_own_environment(), **self.env}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until it can be used.

        Raises:
            NotReady: It ended, or was not ready in so many seconds.
        """
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._running is None or self._running.poll() is not None:
                raise NotReady(f"{self.name} has ended:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{self.name} is not ready after {timeout:g} s:\n{self.last_lines()}"
                )
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self._end(signal.SIGKILL, 10.0)

    def stop(self) -> None:
        """Ask it to end, and make it end if it has not in time."""
        self._end(self._asked_by, self._patience)

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line[:500] for line in lines[-_LAST_LINES:])

    def _answers(self) -> bool:
        if callable(self._ready):
            return self._ready()
        try:
            with urlopen(self._ready, timeout=2.0) as answer:
                return bool(answer.status < 400)
        except (URLError, OSError):
            return False

    def _end(self, how: signal.Signals, timeout: float) -> None:
        running, self._running = self._running, None
        if running is None or running.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, how)
        try:
            running.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def _own_environment() -> dict[str, str]:
    """This process's variables without those that would reconfigure the servers."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "INFLUXDB_", "JAEGER_"))
    }
