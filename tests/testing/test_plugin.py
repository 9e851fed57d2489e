"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = """
import urllib.request
import pytest

@pytest.mark.otel_stream(events="log")
def test_fixtures(otel_stream_server, otel_stream_clock):
    from otel_stream.testing import Script
    otel_stream_server.script(None, Script.json("tea"))
    assert urllib.request.urlopen(otel_stream_server.url).read() == b'"tea"'
    assert otel_stream_clock.advance(1.0) == 101.0
"""


@pytest.fixture
def environment() -> dict[str, str]:
    """Like ours, but pytest loads no plugins by itself, so that ours is there only once."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    loaded = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": os.pathsep.join(paths)}
    return os.environ | loaded


def test_fixtures_and_marker_are_known(tmp_path: Path, environment: dict[str, str]) -> None:
    """A test of a user gets the server and the clock, and the marker is registered."""
    test = tmp_path / "test_user.py"
    test.write_text(FIXTURES)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(tmp_path)]
    command += ["-p", "otel_stream.testing.plugin", "--strict-markers", "-q", str(test)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "1 passed" in run.stdout, run.stdout + run.stderr


def test_plugin_imports_nothing_heavy(environment: dict[str, str]) -> None:
    """A test run that does not use the fixtures pays for no server, SDK or provider library."""
    code = "import sys, otel_stream.testing.plugin; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    heavy = {"anthropic", "openai", "otel_stream.testing.captured", "otel_stream.testing.server"}

    assert "otel_stream.testing.plugin" in run.stdout.split()
    assert heavy & set(run.stdout.split()) == set()
