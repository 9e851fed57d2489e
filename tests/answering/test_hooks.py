"""Streamers hooked by class, as one hooks somebody else's: nothing of it is seen on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .hooked import TEXT

ROOT = Path(__file__).parents[2]


def ended(way: str) -> Any:
    """What the program says whose streamer is hooked that way; it must say nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "default", "-m", "tests.answering.hooked", way],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["plain", "run", "events", "both"])
def test_generators_that_are_broken_off_say_nothing(way: str) -> None:
    """A loop that is left at the run's end, and never closed, is as quiet hooked as it is bare."""
    assert ended(way)["said"] == TEXT


def test_each_hook_has_its_span() -> None:
    """The run on the wire, the parser and the run of the client all end as completed."""
    assert ended("both")["outcomes"] == {
        "create_streaming_run": "completed",
        "stream_events": "completed",
        "invoke_agent genie": "completed",
    }


def test_a_parser_that_waits_for_the_next_event_is_late() -> None:
    """The first token is that of the wire; what the parser adds is told apart (Trap 2)."""
    [lag] = ended("run")["lag"]

    assert 0.01 < lag < 0.5
