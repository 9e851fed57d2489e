from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest

from otel_stream import SettingsError
from otel_stream import settings as settings_module
from otel_stream.settings import Settings
from otel_stream.sources import KNOWN_ELSEWHERE, variable

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said once a process has not been said yet."""
    monkeypatch.setattr(settings_module, "_said", set())


class TestOrder:
    def test_defaults(self) -> None:
        """With nothing said, each setting has the default of its field."""
        assert Settings() == Settings.resolve()

    def test_argument_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An argument wins over our variable."""
        monkeypatch.setenv("OTEL_STREAM_STALL_AFTER", "7")

        assert Settings.resolve(stall_after=3).stall_after == 3.0

    def test_ours_before_the_standard(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Our variable wins over the standard one."""
        monkeypatch.setenv("OTEL_STREAM_SERVICE_NAME", "ours")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")

        assert Settings.resolve().service_name == "ours"

    def test_none_is_not_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An argument of None leaves the variable to say it."""
        monkeypatch.setenv("OTEL_STREAM_SERVICE_NAME", "ours")

        assert Settings.resolve(service_name=None).service_name == "ours"

    def test_empty_variable_is_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty variable says nothing."""
        monkeypatch.setenv("OTEL_STREAM_EVENTS", " ")

        assert Settings.resolve().events == "span"

    @pytest.mark.parametrize("name", FIELDS)
    def test_every_setting_is_described(self, name: str) -> None:
        """Each field says what it means and which standard variables are read."""
        metadata = FIELDS[name].metadata

        assert metadata["doc"].endswith(".")
        assert all(each.startswith("OTEL_") for each in metadata["also"])

    def test_frozen(self) -> None:
        """Settings do not change once they are resolved."""
        with pytest.raises(dataclasses.FrozenInstanceError):
            Settings.resolve().grace = 2.0  # type: ignore[misc]


class TestWrong:
    def test_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The error names the variable, its text, and what is allowed, on one line."""
        monkeypatch.setenv("OTEL_STREAM_EVENTS", "spam")

        with pytest.raises(SettingsError) as error:
            Settings.resolve()

        assert (
            str(error.value) == "OTEL_STREAM_EVENTS='spam': expected one of span, log, both, none"
        )

    def test_is_a_value_error(self) -> None:
        """Who knows only Python's exceptions can catch it."""
        with pytest.raises(ValueError, match="expected"):
            Settings.resolve(events="spam")

    def test_redaction_that_cannot_be_imported(self) -> None:
        """The error says why the function cannot be had."""
        with pytest.raises(SettingsError, match=r"\(AttributeError: .*'gone'\)"):
            Settings.resolve(redact="os.path:gone")

    def test_unknown_argument(self) -> None:
        """A misspelt argument is an error that names the nearest setting."""
        with pytest.raises(SettingsError) as error:
            Settings.resolve(capture_contents=True)

        assert (
            str(error.value)
            == "no setting is called 'capture_contents'; did you mean capture_content?"
        )

    def test_name_in_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library that is to be instrumented and left alone is an error that says who said so."""
        monkeypatch.setenv("OTEL_STREAM_ONLY", "otel_stream_openai")
        monkeypatch.setenv("OTEL_STREAM_EXCLUDE", "anthropic,openai")

        with pytest.raises(SettingsError) as error:
            Settings.resolve()

        assert str(error.value) == (
            "OTEL_STREAM_ONLY and OTEL_STREAM_EXCLUDE both name openai: expected in one of them"
        )

    def test_left_out_by_a_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever runs a program may leave out what its code has chosen."""
        monkeypatch.setenv("OTEL_STREAM_EXCLUDE", "openai")

        assert not Settings.resolve(only=["openai", "anthropic"]).chooses("otel_stream_openai")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "EVERYTHING"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "http"),
        ],
    )
    def test_standard_variable(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        name: str,
        text: str,
    ) -> None:
        """A standard variable that cannot be read is said once and ignored, as its rule is."""
        monkeypatch.setenv(name, text)

        assert Settings() == Settings.resolve() == Settings.resolve()
        assert len(caplog.messages) == 1
        assert f"{name}={text!r}: expected" in caplog.text


class TestStandardVariables:
    @pytest.mark.parametrize(
        ("name", "text", "field", "want"),
        [
            ("OTEL_SERVICE_NAME", "bot", "service_name", "bot"),
            (
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
                "span_only",
                "capture_content",
                "span",
            ),
            ("OTEL_METRICS_EXPORTER", "otlp, prometheus", "prometheus", True),
            ("OTEL_METRICS_EXPORTER", "otlp", "prometheus", False),
            ("OTEL_EXPORTER_PROMETHEUS_HOST", "::1", "prometheus_host", "::1"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "9999", "prometheus_port", 9999),
            ("OTEL_SDK_DISABLED", "TRUE", "disabled", True),
            ("OTEL_SDK_DISABLED", "1", "disabled", False),
        ],
    )
    def test_read(
        self, monkeypatch: pytest.MonkeyPatch, name: str, text: str, field: str, want: object
    ) -> None:
        """The standard variables are read with their own words."""
        monkeypatch.setenv(name, text)

        assert want == getattr(Settings.resolve(), field)

    def test_argument_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`prometheus=False` holds whatever the variable lists."""
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")

        assert Settings.resolve(prometheus=False).prometheus is False


class TestLenient:
    def test_default_is_used(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A wrong value is said once, and the default is used beside what was right."""
        monkeypatch.setenv("OTEL_STREAM_EVENTS", "spam")
        monkeypatch.setenv("OTEL_STREAM_GRACE", "3")

        first, second = Settings.resolve_lenient(), Settings.resolve_lenient()

        assert first == second == Settings(grace=3.0)
        assert caplog.messages == [
            "otel-stream: OTEL_STREAM_EVENTS='spam': expected one of span, log, both, none; "
            "the default is used"
        ]

    def test_unknown_argument(self, caplog: pytest.LogCaptureFixture) -> None:
        """An argument that does not exist is said and ignored."""
        assert Settings() == Settings.resolve_lenient(chunks="all")
        assert "no setting is called 'chunks'" in caplog.text

    def test_name_in_both(self, caplog: pytest.LogCaptureFixture) -> None:
        """A library that is to be instrumented and left alone is left alone, and that is said."""
        settings = Settings.resolve_lenient(only="openai", exclude="openai")

        assert not settings.chooses("otel_stream_openai")
        assert caplog.messages == [
            "otel-stream: only and exclude both name openai: expected in one of them; exclude wins"
        ]

    def test_content_stays_when_it_cannot_be_redacted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Content that was to be redacted is not captured without the function that does it."""
        monkeypatch.setenv("OTEL_STREAM_REDACT", "nowhere:at_all")

        assert Settings.resolve_lenient(capture_content=True).capture_content == "none"


class TestUnknownVariables:
    def test_nearest_is_named(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A misspelt variable gets one warning with the nearest one."""
        monkeypatch.setenv("OTEL_STREAM_CAPTURE_CONTNET", "true")

        Settings.resolve()
        Settings.resolve()

        assert caplog.record_tuples == [
            (
                "otel_stream",
                logging.WARNING,
                "otel-stream: OTEL_STREAM_CAPTURE_CONTNET is not a variable that is read; "
                "did you mean OTEL_STREAM_CAPTURE_CONTENT?",
            )
        ]

    @pytest.mark.parametrize("name", KNOWN_ELSEWHERE)
    def test_those_read_elsewhere(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
    ) -> None:
        """Variables that other parts of the project read are known."""
        monkeypatch.setenv(name, "anything")

        Settings.resolve()

        assert caplog.messages == []


def test_variables_are_named_after_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting can be set by `OTEL_STREAM_` and its name."""
    words: dict[type[Any], str] = {bool: "true", int: "7", float: "7", tuple: "a"}
    for name, field in FIELDS.items():
        monkeypatch.setenv(variable(name), words.get(type(field.default), "both"))
    others = {"chunk_events": "all", "semconv": "latest", "redact": "os:fspath", "exclude": "b"}
    others["delivery_store"] = "sqlite:kept.db"
    for name, text in others.items():
        monkeypatch.setenv(variable(name), text)

    settings = Settings.resolve()

    assert [
        name for name, field in FIELDS.items() if getattr(settings, name) == field.default
    ] == []
