"""A counter and a histogram that go up steadily and are sent every second by the SDK."""

from __future__ import annotations

import threading

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

__all__ = ["Counted"]

_EVERY = 1.0


class Counted:
    """Counts in a `with` block, a hundred times a second.

    Args:
        endpoint: Where OTLP over HTTP is taken.
        service: The resource's name.
        temporality: How it counts: from the beginning, or from one export to the next.
    """

    def __init__(
        self,
        endpoint: str,
        service: str,
        temporality: AggregationTemporality = AggregationTemporality.CUMULATIVE,
    ) -> None:
        exporter = OTLPMetricExporter(
            endpoint=f"{endpoint}/v1/metrics",
            timeout=30,
            preferred_temporality={Counter: temporality, Histogram: temporality},
        )
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=_EVERY * 1000)
        resource = Resource({"service.name": service, "service.instance.id": f"{service}-1"})
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("tests")
        self._counter = meter.create_counter("counted", "{step}")
        self._histogram = meter.create_histogram("stepped", "s")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counted", daemon=True)
        self.value = 0

    def __enter__(self) -> Counted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._provider.shutdown()

    def _run(self) -> None:
        while not self._stopping.wait(0.01):
            self._counter.add(1, {"kind": "step"})
            self._histogram.record(0.02, {"kind": "step"})
            self.value += 1
