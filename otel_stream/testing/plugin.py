"""Fixtures for pytest, found through the entry point group `pytest11`.

    def test_answer_is_complete(otel_stream_server, otel_stream_captured):
        otel_stream_server.script(None, Script.stream(chat_text(["Hello", " you"])))
        ...  # call the provider at otel_stream_server.openai_url
        assert otel_stream_captured.span().attributes["otel_stream.outcome"] == "completed"

Settings of `otel_stream.instrument` are given with a marker, as in
`@pytest.mark.otel_stream(events="log")`.

pytest imports this module in every run, so all else is imported inside the fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from otel_stream.testing.captured import Captured
    from otel_stream.testing.clock import ScriptedClock
    from otel_stream.testing.server import ProviderServer

__all__ = ["otel_stream_captured", "otel_stream_clock", "otel_stream_server", "pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "otel_stream(**settings): settings of otel_stream.instrument() in this test"
    )


@pytest.fixture
def otel_stream_captured(request: pytest.FixtureRequest) -> Iterator[Captured]:
    """The telemetry of this test: instrumented before, restored after it.

    An application that has called `otel_stream.instrument()` on import is un-instrumented first,
    since a second call with other providers would change nothing.
    """
    import otel_stream
    from otel_stream.testing.captured import Captured

    marker = request.node.get_closest_marker("otel_stream")
    captured = Captured()
    otel_stream.uninstrument()
    otel_stream.instrument(
        tracer_provider=captured.tracer_provider,
        meter_provider=captured.meter_provider,
        logger_provider=captured.logger_provider,
        **(marker.kwargs if marker else {}),
    )
    try:
        yield captured
    finally:
        otel_stream.uninstrument()
        captured.shutdown()


@pytest.fixture
def otel_stream_server() -> Iterator[ProviderServer]:
    """A scripted provider on loopback."""
    from otel_stream.testing.server import ProviderServer

    with ProviderServer() as server:
        yield server


@pytest.fixture
def otel_stream_clock() -> ScriptedClock:
    """A clock that stands still until the test moves it."""
    from otel_stream.testing.clock import ScriptedClock

    return ScriptedClock()
