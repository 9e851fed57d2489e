"""A server as a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from stack.servers.ports import free, keep
from tests.conftest import eventually

PARENT = """
import sys, time
from pathlib import Path
from stack.servers.process import Process

port, room = sys.argv[1:]
command = [sys.executable, "-m", "http.server", port]
served = Process("server", command, room=Path(room), ready=f"http://127.0.0.1:{port}/")
served.start()
print(served.pid, flush=True)
time.sleep(60)
"""


def test_a_server_ends_with_who_started_it(tmp_path: Path) -> None:
    """Also when that is killed: nobody is left behind on a port."""
    [port] = free(1)
    command = [sys.executable, "-c", PARENT, str(port), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)

    def is_gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    assert eventually(is_gone, 10.0)


def test_a_port_is_given_once() -> None:
    """Two servers that are to listen later do not get the same port."""
    given = free(50) + free(50)

    assert len(set(given)) == 100


def test_a_port_that_somebody_chose_is_not_given() -> None:
    """A port that was asked for is left alone until its server listens there."""
    [chosen] = free(1)
    keep([chosen, *range(31_000, 31_500)])

    assert set(free(300)).isdisjoint({chosen, *range(31_000, 31_500)})
