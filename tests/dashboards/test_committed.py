"""What is committed is what the code makes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dashboards.__main__ import BOARDS, files, main

from .committed import BOARDS as COMMITTED
from .committed import CONFIG, RULES

MADE = files()


@pytest.mark.parametrize("path", sorted(MADE))
def test_a_committed_file_is_what_the_code_makes(path: str) -> None:
    """Each dashboard and file of rules says what `make dashboards` would write."""
    assert MADE[path] == (CONFIG / path).read_text()


def test_no_other_file_is_there() -> None:
    """Each committed dashboard and file of rules is made by the code."""
    committed = {path.relative_to(CONFIG).as_posix() for path in [*COMMITTED, *RULES]}

    assert set(MADE) == committed


def test_all_six_dashboards_are_there() -> None:
    """The dashboards have their files."""
    expected = {"overview", "stream", "models", "delivery", "collectors", "overview-influxdb"}

    assert expected == {path.stem for path in COMMITTED} == {board.file[:-5] for board in BOARDS}


def test_the_command_writes_elsewhere_with_another_page_of_runbooks(tmp_path: Path) -> None:
    """`python -m dashboards --into … --runbooks …` writes all, with that address in alerts."""
    main(["--into", str(tmp_path), "--runbooks", "https://docs.example.com/runbooks.html"])
    written = yaml.safe_load((tmp_path / "prometheus/rules/alerts.yml").read_text())
    first = written["groups"][0]["rules"][0]["annotations"]["runbook_url"]

    assert sorted(MADE) == sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*") if path.is_file()
    )
    assert first == "https://docs.example.com/runbooks.html#firsttokenslow"
