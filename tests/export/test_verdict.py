from __future__ import annotations

import logging
import time
from email.utils import formatdate

import pytest

from otel_stream.export.verdict import Verdict, of_answer, of_error, of_records


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("30", 30.0), ("0.5", 0.5), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0), (None, 0.0)],
)
def test_retry_after(retry_after: str | None, seconds: float) -> None:
    """The time that a receiver asks for is in seconds; what cannot be read is none."""
    assert of_answer(503, "Later", "", retry_after) == Verdict("later", "503 Later", seconds)


def test_retry_after_date() -> None:
    """It may be a date."""
    verdict = of_answer(429, "Slow", "", formatdate(time.time() + 60, usegmt=True))

    assert verdict.after == pytest.approx(60, abs=2)


def test_endless_answer() -> None:
    """Of a long answer the beginning is said, on one line."""
    assert len(of_answer(400, "No", "because\n" * 1_000, None).cause) == len("400 No: ") + 300


def test_deepest_cause() -> None:
    """Of errors in errors, the innermost is the cause."""
    try:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise RuntimeError("no connection, after all that could be tried") from error
    except RuntimeError as outer:
        verdict = of_error(outer, tls=False)

    assert verdict == Verdict("later", "ConnectionRefusedError: [Errno 111] Connection refused")


@pytest.mark.parametrize(
    ("cause", "hint"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] unable", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong", "the endpoint says https"),
        ("[SSL: RECORD_LAYER_FAILURE] record layer failure", "the endpoint says https"),
    ],
)
def test_hint(cause: str, hint: str) -> None:
    """For what is often set wrong, it says where to look."""
    assert hint in of_error(OSError(cause), tls=True).cause


@pytest.mark.parametrize(
    ("lines", "then"),
    [
        ([], None),
        (["Failed to encode"], None),
        (["Transient error X, retrying", "Shutdown in progress"], "later"),
        (["Failed to export due to timeout, max retries or shutdown."], "later"),
    ],
)
def test_words(lines: list[str], then: str | None) -> None:
    """An exporter that has tried again itself says so in its log."""
    records = [logging.LogRecord("x", 30, "", 1, line, None, None) for line in lines]
    verdict = of_records(records)

    assert (verdict and verdict.then) == then
