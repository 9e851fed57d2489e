"""The collector accepts each combination that is named, and says which variable is missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from stack.servers import ports
from tests.collector_config.configuration import FOLDER, combinations, mandatory

PORTS = ["GRPC", "HTTP", "PROMETHEUS", "TELEMETRY", "HEALTH", "INFLUXDB"]
NEEDED = {
    "OTEL_STREAM_COLLECTOR_TRACES_ENDPOINT": "http://127.0.0.1:1",
    "OTEL_STREAM_COLLECTOR_HASH_KEY": "0123456789abcdef0123456789abcdef",
    "OTEL_STREAM_COLLECTOR_GATEWAY_1": "127.0.0.1:1",
    "OTEL_STREAM_COLLECTOR_GATEWAY_2": "127.0.0.1:1",
    "OTEL_STREAM_COLLECTOR_GATEWAYS": "localhost",
}
MISSING = [
    (files, name)
    for files in sorted({*combinations(), ("agent.yaml",), ("gateway.yaml",)})
    for name in sorted(mandatory(files[-1].removesuffix(".yaml")))
]


def environment(room: Path) -> dict[str, str]:
    """All that must be set. The files that are named are there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    numbers = zip(PORTS, ports.free(len(PORTS)), strict=True)
    files = {}
    for name in (
        "OTEL_STREAM_COLLECTOR_TLS_CERT",
        "OTEL_STREAM_COLLECTOR_TLS_KEY",
        "OTEL_STREAM_COLLECTOR_TOKEN_FILE",
    ):
        (room / name).write_text("token")
        files[name] = str(room / name)
    own = {f"OTEL_STREAM_COLLECTOR_{name}_PORT": str(number) for name, number in numbers}
    return kept | NEEDED | files | own | {"OTEL_STREAM_COLLECTOR_DATA": str(room / "data")}


def run(
    program: Path, *arguments: str, files: Sequence[str], env: Mapping[str, str], room: Path
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    configs = [part for file in files for part in ("--config", str(FOLDER / file))]
    return subprocess.run(
        [str(program), *arguments, *configs], cwd=room, env=env, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=20, check=False,
    )  # fmt: skip


def test_all_overlays_are_named() -> None:
    """The combinations that are tried below are not few."""
    assert {file for files in combinations() for file in files} == {
        path.name for path in FOLDER.glob("*.yaml") if path.name != "compose.yaml"
    }


@pytest.mark.parametrize("files", combinations(), ids=" + ".join)
def test_a_named_combination_is_valid(
    files: tuple[str, ...], collector: Path, tmp_path: Path
) -> None:
    """The collector's own check accepts it, and says nothing."""
    env = environment(tmp_path)
    done = run(collector, "validate", files=files, env=env, room=tmp_path)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("files", "name"), MISSING, ids=str)
def test_a_missing_variable_is_named(
    files: tuple[str, ...], name: str, collector: Path, tmp_path: Path
) -> None:
    """Without a variable that must be set it ends at once, names it, and makes nothing."""
    env = environment(tmp_path)
    del env[name]
    before = set(tmp_path.iterdir()) | {tmp_path / "data"}
    done = run(collector, files=files, env=env, room=tmp_path)

    assert done.returncode not in (0, None)
    assert name in done.stdout
    assert set(tmp_path.iterdir()) <= before


def test_jaeger_without_its_folder(jaeger: Path, tmp_path: Path) -> None:
    """Jaeger ends at once too, and names the variable."""
    names = ["GRPC", "HTTP", "QUERY", "QUERY_GRPC", "HEALTH", "TELEMETRY"]
    numbers = zip(names, ports.free(len(names)), strict=True)
    env = os.environ | {f"JAEGER_{name}_PORT": str(number) for name, number in numbers}
    done = run(jaeger, files=["jaeger/jaeger.yaml"], env=env, room=tmp_path)

    assert done.returncode == 1
    assert "JAEGER_DATA is not set" in done.stdout
    assert list(tmp_path.iterdir()) == []
