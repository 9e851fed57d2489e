"""`python -m stack demo`: the demo through a stack, and what arrived."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from stack.made.programs import Programs
from tests.stack.command import Command, given, run

pytestmark = pytest.mark.slow_stack

TITLES = ["Jaeger", "Prometheus", "InfluxDB", "JSON lines"]


def test_all_of_it_arrives(programs: Programs) -> None:
    """Each back end has all of it, and shows a part: a trace, percentiles, rows, lines."""
    done = run("demo", env=given(programs), timeout=110)

    assert done.status == 0, done.err
    assert sorted(re.findall(r"^(.+?) +has all of it after", done.out, re.M)) == sorted(TITLES)
    for seen in (
        r"^ +chat gpt-4\.1 .* completed *$",
        r"^ +\d\.\d\d stall of 2\.\d\d s *$",
        r"^first token +p50 \d\.\d\d s, p90 \d\.\d\d s, p99 \d\.\d\d s *$",
        r"^streams +11 completed, 1 abandoned, 1 cancelled, 1 closed_early, 1 error",
        r"^an exemplar +\d\.\d\d s is trace [0-9a-f]{32} *$",
        r"^rows +\d{4}-\d\d-\d\dT.*Z  1  ",
        r'^line 1 +\{"start":"',
    ):
        assert re.search(seen, done.out, re.M), seen
    assert "\x1b" not in done.out


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_what_it_says_can_be_typed(programs: Programs, tmp_path: Path) -> None:
    """The commands below each part, typed while the stack is kept, answer with something."""
    with Command("demo", "--keep", env=given(programs), room=tmp_path) as command:
        said = command.wait_for("The stack runs on", 110)
        commands = [c for c in re.findall(r"^\$ (.+)$", said, re.M) if "jq" not in c]
        answers = [
            subprocess.run(each, shell=True, capture_output=True, check=True).stdout
            for each in commands
        ]
        command.send(signal.SIGINT)
        status = command.ended()

    assert len(answers) == 8
    assert [each for each, said in zip(commands, answers, strict=True) if b"{" not in said] == []
    assert not any(b'"error":' in answer for answer in answers)
    assert status == 0


def test_ended_midway(programs: Programs, tmp_path: Path) -> None:
    """Ctrl-C while the demo runs lets it put the terminal right; the stack goes too."""
    with Command("demo", env=given(programs), room=tmp_path, terminal=True) as command:
        command.wait_for("no token yet")
        command.type("\x03")
        status = command.ended()

    assert status == 128 + signal.SIGINT
    assert "\x1b[?25h" in command.said.rpartition("\x1b[?25l")[2], "the cursor stays hidden"
    assert "stopped; streams that were open are exported as abandoned" in command.said
    assert [path.name for path in tmp_path.iterdir()] == ["said"]
