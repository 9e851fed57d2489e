"""Lines of the servers' logs, in each form that was seen, as time, level and message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stack.entry import Entry, logfmt, zap

AT = datetime(2026, 11, 21, 18, 51, 39, 233000, tzinfo=UTC)
WHEN = "2026-11-21T18:51:39.233Z"
FAILED = "Exporting failed. Will retry the request after interval."


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (f"{WHEN}\tinfo\tservice@v0.152.0/service.go:264\tAll is ready.", "info", "All is ready."),
        (
            f'{WHEN}\tinfo\tinternal/retry.go:133\t{FAILED}\t{{"resource": {{"a": 1}}, '
            '"otelcol.component.id": "otlp_http", "error": "connection refused"}',
            "info",
            f"otlp_http: {FAILED}: connection refused",
        ),
        (f'{WHEN}\terror\tplace.go:1\tmessage\t{{"broken', "error", "message"),
        (f"{WHEN}\tfatal\twithout a place", "error", "without a place"),
    ],
)
def test_zap(line: str, level: str, message: str) -> None:
    """The message of a zap line comes with its component and its error, and nothing else."""
    assert zap(line) == Entry(AT, level, message)


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (
            f'ts={WHEN} caller=main.go:973 level=info msg="Server is ready."',
            "info",
            "Server is ready.",
        ),
        (
            f'ts={WHEN} caller=a.go:1 level=error component="rule manager" '
            'msg="Loading \\"x\\" failed" err="no such file"',
            "error",
            'rule manager: Loading "x" failed: no such file',
        ),
        (f'ts={WHEN} caller=a.go:1 level=info limits="(soft=1)"', "info", "limits=(soft=1)"),
        (f"ts={WHEN} lvl=warning msg=short service=httpd", "warn", "httpd: short"),
    ],
)
def test_logfmt(line: str, level: str, message: str) -> None:
    """The message of a logfmt line comes with its component and its error, quotes taken off."""
    assert logfmt(line) == Entry(AT, level, message)


@pytest.mark.parametrize("read", [zap, logfmt])
def test_a_line_in_no_known_form(read: object) -> None:
    """A line in no known form is told as it is, without a time; a crash is an error."""
    assert callable(read)
    assert read("Level 0 [ ]: NumTables: 01.") == Entry(None, "info", "Level 0 [ ]: NumTables: 01.")
    assert read("panic: nil map") == Entry(None, "error", "panic: nil map")
    assert read("") == Entry(None, "info", "")


def test_what_jaegers_storage_writes() -> None:
    """Lines of Badger have its own form and the machine's time."""
    found = zap("badger 2026/11/21 18:56:17 WARNING: Value log is full")

    assert found.time is not None
    assert found.time.astimezone().strftime("%H:%M:%S") == "18:56:17"
    assert found[1:] == ("warn", "Value log is full")


def test_long_lines_are_cut() -> None:
    """A line that would fill the screen is cut."""
    assert len(zap("x" * 10_000).message) == 400
