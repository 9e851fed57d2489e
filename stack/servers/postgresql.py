"""PostgreSQL, for the tests of what is kept in it.

It refuses to run as root, and as nobody else could it read a folder of root's: there it runs as
`nobody`, in a folder of its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
from pathlib import Path

from stack.made.command import run
from stack.servers import ports
from stack.servers.process import Process

__all__ = ["PostgreSQLServer"]

_USER = "otel_stream"
_UP_TO_THE_DATA = 5
"""Folders from the program up to where Debian's package was unpacked."""


class PostgreSQLServer:
    """One PostgreSQL on loopback that trusts whoever connects.

    Args:
        program: The server.
        room: Its folder.
    """

    def __init__(self, program: Path, room: Path) -> None:
        (self.port,) = ports.free(1)
        self._own = Path(tempfile.mkdtemp(prefix="otel-stream-postgresql-"))
        self._program = _within_reach(program, self._own)
        self._data = self._own / "data"
        self._room = room
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = Process(
            "postgresql",
            [*_as_somebody(), str(self._program), "-D", str(self._data), *options],
            room=room,
            ready=self._is_ready,
            env=_libraries(self._program),
            asked_by=signal.SIGINT,  # It waits for nobody who is connected.
        )

    @property
    def address(self) -> str:
        """What clients connect to."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> PostgreSQLServer:
        try:
            self._room.mkdir(parents=True, exist_ok=True)
            self._make()
            self.process.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()
        shutil.rmtree(self._own, ignore_errors=True)

    def _make(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._own, "nobody")
        initdb = self._program.with_name("initdb")
        run(
            "Making a database",
            [*_as_somebody(), str(initdb), "-D", str(self._data), "-U", _USER, "--auth=trust",
             "--no-sync", "--encoding=UTF8", "--locale=C"],
            env=_libraries(self._program),
            cwd=self._own,
            log=self._room / "initdb.log",
        )  # fmt: skip

    def _is_ready(self) -> bool:
        """The last line of this file says how it is, as `pg_ctl` reads it."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        ours = lines[:1] == [str(self.process.pid)]  # One that was killed has left its own.
        return ours and len(lines) > 7 and lines[7].strip() == "ready"


def _as_somebody() -> list[str]:
    """Puts a command into the hands of somebody who is not root."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
            "--pdeathsig", "TERM"]  # fmt: skip


def _libraries(program: Path) -> dict[str, str]:
    """What was unpacked has its libraries beside it."""
    beside = [str(folder) for folder in program.parents[3].glob("*-linux-gnu*")]
    return {"LD_LIBRARY_PATH": ":".join(beside)} if beside else {}


def _within_reach(program: Path, own: Path) -> Path:
    """The program, or a copy of it where a folder of root's keeps everybody else out."""
    if os.geteuid() != 0 or all(folder.stat().st_mode & 0o001 for folder in program.parents):
        return program
    root = program.parents[_UP_TO_THE_DATA]
    shutil.copytree(root, own / "program", symlinks=True)
    return own / "program" / program.relative_to(root)
