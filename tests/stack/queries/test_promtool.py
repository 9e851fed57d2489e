"""Rules and alerts by Prometheus's own tool: they are right, and say what they must."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stack.made.programs import Programs

from ...dashboards.committed import RULE_TESTS, RULES


@pytest.fixture(scope="session")
def promtool(programs: Programs) -> Path:
    """The tool."""
    return programs.promtool()


def said(*command: str) -> tuple[int, str]:
    """The status of a command, and what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    return done.returncode, done.stdout + done.stderr


def test_rules_are_valid(promtool: Path) -> None:
    """`promtool check rules` finds nothing wrong."""
    status, text = said(str(promtool), "check", "rules", *map(str, RULES))

    assert status == 0, text


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_rules_say_what_they_must(path: Path, promtool: Path) -> None:
    """`promtool test rules`: series that fire, series that do not, and the figures themselves."""
    status, text = said(str(promtool), "test", "rules", str(path))

    assert status == 0, text
