"""`python -m stack run`: up, watched, and gone without a trace."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from urllib.request import urlopen

import pytest

from stack.made.programs import Programs
from stack.servers import ports
from tests.conftest import eventually
from tests.stack.command import Command, given, run

NAMES = ["grpc", "http", "metrics", "telemetry", "health", "jaeger", "prometheus", "influxdb"]


def own_ports() -> tuple[dict[str, int], list[str]]:
    """Ports that are free now, and the arguments that give them."""
    numbers = dict(zip(NAMES, ports.free(len(NAMES)), strict=True))
    return numbers, [part for name in NAMES for part in ("--port", f"{name}={numbers[name]}")]


def servers_in(folder: Path) -> dict[str, int]:
    """The processes that run in a folder below this one, by its name."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            where = Path(os.readlink(path / "cwd"))
        except OSError:  # it has ended, or is somebody else's
            continue
        if where.is_relative_to(folder) and where != folder:
            found[where.name] = int(path.name)
    return found


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_up_and_down(how: str, programs: Programs, tmp_path: Path) -> None:
    """All four start, the table has their addresses, and whoever ends it leaves nothing behind."""
    numbers, arguments = own_ports()
    terminal = how == "Ctrl-C"
    with Command(
        "run", *arguments, env=given(programs), room=tmp_path, terminal=terminal
    ) as command:
        said = command.wait_for("removed at the end")
        names = set(servers_in(tmp_path))
        command.type("\x03") if terminal else command.send(getattr(signal, how))
        status = command.ended()

    assert names == {"agent", "jaeger", "prometheus", "influxdb"}
    assert f"export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{numbers['http']}\n" in said
    assert all(f"127.0.0.1:{number}" in said for number in numbers.values())
    assert status == 0
    assert servers_in(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["said"]


def test_down_before_it_is_up(programs: Programs, tmp_path: Path) -> None:
    """Who ends it while it starts leaves nothing behind either."""
    _, arguments = own_ports()
    with Command("run", *arguments, env=given(programs), room=tmp_path) as command:
        command.wait_for("Starting")
        command.send(signal.SIGINT)
        status = command.ended()

    assert status == 0
    assert servers_in(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["said"]


def test_every_address_of_the_table_answers(programs: Programs, tmp_path: Path) -> None:
    """What can be opened can be opened."""
    _, arguments = own_ports()
    with Command("run", *arguments, env=given(programs), room=tmp_path) as command:
        said = command.wait_for("removed at the end")
        opened = re.findall(r"^(?:Jaeger|Prometheus|agent|) +(http://\S+)(?: \(|$)", said, re.M)
        statuses = {url: urlopen(url).status for url in opened}

    assert len(statuses) == 5
    assert set(statuses.values()) == {200}


def test_a_pipe_gets_no_colours(programs: Programs, tmp_path: Path) -> None:
    """In a pipe there is no escape sequence; on a terminal the servers' names have colours."""
    _, arguments = own_ports()
    with Command("run", *arguments, env=given(programs), room=tmp_path) as command:
        said = command.wait_for("removed at the end")

    assert "\x1b" not in said
    assert re.search(r"^\d\d:\d\d:\d\d agent +info  Everything is ready", said, re.M)


def test_a_server_that_dies(programs: Programs, tmp_path: Path) -> None:
    """One that ends by itself is said with its last lines, and the others go on."""
    _, arguments = own_ports()
    with Command("run", *arguments, env=given(programs), room=tmp_path) as command:
        command.wait_for("removed at the end")
        os.kill(servers_in(tmp_path)["jaeger"], signal.SIGKILL)
        said = command.wait_for("has ended by itself (SIGKILL); the others go on")
        left = set(servers_in(tmp_path))
        command.send(signal.SIGINT)
        status = command.ended()

    assert "jaeger     info    Everything is ready" in eventual(command, "  Everything is ready")
    assert "jaeger     error has ended" in said
    assert left == {"agent", "prometheus", "influxdb"}
    assert status == 0


def eventual(command: Command, text: str) -> str:
    """What was said, with a text that comes after another one."""
    assert eventually(lambda: text in command.said)
    return command.said


def test_data_that_stays(programs: Programs, tmp_path: Path) -> None:
    """With a folder the data stays, and a second stack starts with it."""
    folder = tmp_path / "kept"
    for _ in range(2):
        _, arguments = own_ports()
        with Command(
            "run", *arguments, "--data", str(folder), env=given(programs), room=tmp_path
        ) as command:
            command.wait_for(f"{folder} (stays)")
            command.send(signal.SIGINT)
            assert command.ended() == 0

    assert {path.name for path in folder.iterdir()} >= {"agent", "jaeger", "prometheus"}


def test_some_of_the_back_ends(programs: Programs, tmp_path: Path) -> None:
    """With `--only` the others neither run nor stand in the table."""
    _, arguments = own_ports()
    with Command(
        "run", *arguments, "--only", "prometheus", env=given(programs), room=tmp_path
    ) as command:
        said = command.wait_for("removed at the end")
        names = set(servers_in(tmp_path))

    assert names == {"agent", "prometheus"}
    assert "Jaeger" not in said
    assert "InfluxDB" not in said


def test_a_server_that_cannot_start(programs: Programs, tmp_path: Path) -> None:
    """A program that ends at once ends the stack: what was started is stopped, status 1."""
    _, arguments = own_ports()
    env = given(programs) | {"OTEL_STREAM_STACK_COLLECTOR": "/bin/false", "TMPDIR": str(tmp_path)}
    done = run("run", *arguments, env=env)

    assert done.status == 1
    assert done.err.startswith("stack: agent has ended")
    assert servers_in(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--port", "tempo=1"], "a port is NAME=N"),
        (["run", "--only", "tempo"], "some of jaeger,prometheus,influxdb are meant"),
        (["run", "--every", "0"], "a number of seconds from 1 to 3600"),
        ([], "COMMAND"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    """What makes no sense is said in one line, with status 2."""
    done = run(*arguments)

    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_without_go(tmp_path: Path) -> None:
    """On a machine without Go and without the programs, one line says what is needed."""
    done = run("get", env={"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)})

    assert done == (
        1,
        "",
        "stack: Go 1.25 or newer is needed for the collector and Jaeger: "
        "there is no `go` on PATH\n",
    )
