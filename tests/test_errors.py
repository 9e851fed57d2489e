"""Where our own faults end."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from otel_stream import MissingExtraError, OtelStreamError, SettingsError, errors
from otel_stream.errors import guard, report


def fail(place: str) -> None:
    """Fail inside a guarded block."""
    with guard(place):
        raise ZeroDivisionError("ours")


def test_swallowed(lenient: None) -> None:
    """In production a fault of ours goes no further than its block."""
    fail("a place")

    assert errors.faults == {"a place": 1}


def test_said_once(lenient: None, caplog: pytest.LogCaptureFixture) -> None:
    """Each place is logged once and counted always."""
    for place in ("a place", "a place", "another", "a place"):
        fail(place)
    messages = [record.getMessage() for record in caplog.records]

    assert errors.faults == {"a place": 3, "another": 1}
    assert [m.partition(" and goes")[0] for m in messages] == [
        "otel-stream failed in a place",
        "otel-stream failed in another",
    ]
    assert "ZeroDivisionError: ours" in messages[0]


@pytest.mark.parametrize(
    "text",
    [
        "no message wamid.HBgNNTUxMTk5OTk5MDAwMBUCABEYEjM0 here",
        "to 5511999990000@s.whatsapp.net",
        "to +55 (11) 99999-0000",
        "postgresql://bot:5up3r@db.example/x",
        "apikey: B6D711FCDE4D4FD5936544120E713976",
    ],
)
def test_nothing_personal_is_said(text: str, lenient: None, caplog: Any) -> None:
    """An error's text is logged without numbers, ids that speak of them, and keys."""
    with guard("a place"):
        raise LookupError(text)
    said = caplog.records[0].getMessage()

    assert "LookupError: " in said
    for secret in ("5511999990000", "99999", "NTUxMTk5", "5up3r", "B6D711"):
        assert secret not in said


def test_an_error_that_cannot_be_told(lenient: None, caplog: Any) -> None:
    """One whose text raises is said all the same."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    with guard("a place"):
        raise Mute

    assert caplog.records[0].getMessage().endswith("(said once): Mute: ?")


@pytest.mark.parametrize(("level", "shown"), [(logging.DEBUG, True), (logging.WARNING, False)])
def test_traceback(level: int, shown: bool, lenient: None, caplog: Any) -> None:
    """The traceback is shown to those who debug us, and spared the others."""
    with caplog.at_level(level, logger="otel_stream"):
        fail("a place")

    assert bool(caplog.records[0].exc_info) is shown


def test_strict() -> None:
    """In our own tests a fault is raised."""
    with pytest.raises(ZeroDivisionError):
        fail("a place")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_not_ours(kind: type[BaseException], lenient: None) -> None:
    """An interrupt passes through: it is the program's."""
    with pytest.raises(kind), guard("a place"):
        raise kind

    assert errors.faults == {}


def test_no_fault(lenient: None) -> None:
    """A block that goes well leaves no trace."""
    with guard("a place"):
        pass

    assert errors.faults == {}


def test_report(lenient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a block costs too much, a fault is reported, and raised by the caller if strict."""
    lenient_says = report("a place", ZeroDivisionError())
    monkeypatch.setattr(errors, "strict", True)

    assert (lenient_says, report("a place", ZeroDivisionError())) == (False, True)


@pytest.mark.parametrize(
    ("kind", "also"), [(SettingsError, ValueError), (MissingExtraError, ImportError)]
)
def test_tree(kind: type[Exception], also: type[Exception]) -> None:
    """Our exceptions have one root, and are what one would expect besides."""
    assert issubclass(kind, OtelStreamError)
    assert issubclass(kind, also)
