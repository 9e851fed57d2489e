"""Where losses of export show: in the metric, and in what the doctor finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otel_stream import Settings, runtime
from otel_stream.control import start
from otel_stream.doctor import examine
from otel_stream.export.telemetry import Telemetry
from otel_stream.testing import Captured

from .receiver import Receiver, status

Receive = Callable[..., Receiver]


@pytest.fixture
def kept(receive: Receive) -> Iterator[Captured]:
    """The metrics of a runtime whose spans go to a receiver that refuses them."""
    receive(*[status(403)] * 9)
    kept = Captured()
    start(Settings.resolve(), meter_provider=kept.meter_provider)
    mine = runtime.current()
    yield kept
    runtime.install(None)
    mine.telemetry.shutdown()


def test_metric(kept: Captured) -> None:
    """Spans that are refused are in the metric of what is dropped, with signal and reason."""
    for name in ("a", "b"):
        runtime.current().tracer.start_span(name).end()
    runtime.current().telemetry.flush()

    reason = {"otel_stream.drop.reason": "traces_refused"}
    assert kept.point("otel_stream.events.dropped", reason).value == 2


def test_provider_made_before(receive: Receive) -> None:
    """Also where the private provider was there first, as a global one is."""
    receive(status(403))
    counted: list[tuple[str, str, int]] = []
    telemetry = Telemetry(Settings.resolve())
    telemetry.tracer().start_span("a").end()
    telemetry.count_losses(lambda *what: counted.append(what))
    telemetry.flush()
    telemetry.shutdown()

    assert counted == [("traces", "refused", 1)]


@pytest.mark.usefixtures("kept")
def test_doctor() -> None:
    """The doctor of a running program counts them."""
    runtime.current().tracer.start_span("a").end()
    runtime.current().telemetry.flush()

    faults = examine().faults
    assert faults["spans lost, their export failed for good"] == 1
    assert faults["export of traces"] == 1
