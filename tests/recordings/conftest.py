from __future__ import annotations

from collections.abc import Iterator

import pytest

import otel_stream
from otel_stream.testing import Captured, ProviderServer

from .recording import FOLDER

# Without recordings nothing here is collected but the one test that says so.
collect_ignore_glob = [] if FOLDER else ["test_r[!e]*", "test_re[!c]*", "test_[!r]*"]


@pytest.fixture(scope="session")
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture(scope="module")
def captured() -> Iterator[Captured]:
    """What is recorded, content included, for all tests of a module: `clear` it between two."""
    captured = Captured()
    otel_stream.uninstrument()
    otel_stream.instrument(
        tracer_provider=captured.tracer_provider,
        meter_provider=captured.meter_provider,
        logger_provider=captured.logger_provider,
        capture_content=True,
        content_limit=10_000_000,
    )
    yield captured
    otel_stream.uninstrument()
    captured.shutdown()


@pytest.fixture(autouse=True)
def anew(server: ProviderServer, captured: Captured) -> None:
    """Each test begins with nothing captured and nothing scripted."""
    server.reset()
    captured.clear()
