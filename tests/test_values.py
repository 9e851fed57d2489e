from __future__ import annotations

import math
import os

import pytest

from otel_stream.errors import SettingsError
from otel_stream.settings import Settings
from otel_stream.sources import variable


def shout(text: str) -> str:
    return text.upper()


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("capture_content", "true", "span"),
        ("capture_content", "FALSE", "none"),
        ("capture_content", "SPAN_AND_EVENT", "both"),
        ("capture_content", "event", "event"),
        ("events", "LOG", "log"),
        ("content_limit", "10", 10),
        ("stall_after", "0.5", 0.5),
        ("grace", "0", 0.0),
        ("prometheus", "yes", True),
        ("set_global", "0", False),
        ("only", "openai, anthropic,", ("openai", "anthropic")),
        ("data_dir", "var/otel", "var/otel"),
        ("prometheus_port", "0", 0),
    ],
)
def test_variable(monkeypatch: pytest.MonkeyPatch, name: str, text: str, want: object) -> None:
    """A variable's text becomes a value of the setting's type."""
    monkeypatch.setenv(variable(name), text)

    assert want == getattr(Settings.resolve(), name)


@pytest.mark.parametrize(
    ("name", "argument", "want"),
    [
        ("capture_content", True, "span"),
        ("capture_content", False, "none"),
        ("capture_content", "both", "both"),
        ("redact", shout, shout),
        ("redact", "os.path:basename", os.path.basename),
        ("only", ["openai"], ("openai",)),
        ("exclude", "openai,anthropic", ("openai", "anthropic")),
        ("stall_after", 1, 1.0),
    ],
)
def test_argument(name: str, argument: object, want: object) -> None:
    """An argument becomes a value of the setting's type."""
    assert want == getattr(Settings.resolve(**{name: argument}), name)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("service_name", ""),
        ("service_name", 7),
        ("capture_content", "spam"),
        ("capture_content", 1),
        ("content_limit", 0),
        ("content_limit", True),
        ("content_limit", "10"),
        ("redact", "nothing"),
        ("redact", 7),
        ("events", "SPAN"),
        ("events", ["span"]),
        ("stall_after", 0),
        ("stall_after", "2"),
        ("stall_after", math.nan),
        ("stall_after", math.inf),
        ("grace", -1),
        ("grace", False),
        ("data_dir", b"folder"),
        ("data_dir", ""),
        ("data_files", -1),
        ("prometheus", 1),
        ("prometheus_port", 65_536),
        ("only", [1]),
        ("only", 7),
    ],
)
def test_wrong_argument(name: str, argument: object) -> None:
    """An argument of a wrong type or value is an error that says which one and what it was."""
    with pytest.raises(SettingsError) as error:
        Settings.resolve(**{name: argument})

    assert str(error.value).startswith(f"{name}={argument!r}: expected ")
