from __future__ import annotations

from types import SimpleNamespace

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_stream import SettingsError, settings
from otel_stream.export.given import check, usable
from otel_stream.export.telemetry import Telemetry
from otel_stream.settings import Settings


@pytest.mark.parametrize(
    "provider",
    [None, TracerProvider(shutdown_on_exit=False), trace, SimpleNamespace(get_tracer=print)],
)
def test_usable(provider: object) -> None:
    """Whatever has the method is a provider, whosever it is."""
    check("tracer", provider)

    assert usable("tracer", provider) is provider


@pytest.mark.parametrize("provider", ["x", 0, TracerProvider, SimpleNamespace(get_tracer=None)])
def test_not_usable(provider: object) -> None:
    """What has not is refused, also a class that nobody has called."""
    with pytest.raises(SettingsError) as error:
        check("tracer", provider)

    assert str(error.value) == (
        f"tracer_provider={provider!r}: expected an object with the method get_tracer"
    )


def test_ignored(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing may be raised it is said once, and the signal goes where it would without."""
    monkeypatch.setattr(settings, "_said", set())
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    described = [
        Telemetry(Settings(), meter_provider=5, begin=False).describe()[1]  # type: ignore[arg-type]
        for _ in range(2)
    ]

    assert described == ["metrics: nowhere (switched off)"] * 2
    assert caplog.messages == [
        "otel-stream: meter_provider=5: expected an object with the method get_meter; it is ignored"
    ]
