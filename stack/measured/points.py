"""OTLP requests full of metrics as a service's are."""

from __future__ import annotations

import itertools
from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from otel_stream import semconv
from stack.measured.payload import Request

__all__ = ["Points"]

_MODELS = 20
_OUTCOMES = ("completed", "closed_early", "cancelled", "abandoned", "truncated", "error")


class Points:
    """Requests with the same series and ever larger values.

    Args:
        service: The resource's name.
        instance: The process's id.
        models: How many models the service asks; each brings seven series, one a histogram.
    """

    def __init__(self, service: str, instance: str, models: int = _MODELS) -> None:
        self._reader = InMemoryMetricReader()
        resource = Resource({"service.name": service, "service.instance.id": instance})
        self._provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("otel_stream")
        self._streams = meter.create_counter(semconv.METRIC_STREAMS, "{stream}")
        self._first = meter.create_histogram(semconv.METRIC_TIME_TO_FIRST_TOKEN, "s")
        self._models = [f"model-{number}" for number in range(models)]
        self._number = itertools.count()
        self.size = models * (len(_OUTCOMES) + 1)
        """Data points a request."""

    def next(self) -> Request:
        """A request; its ids are the numbers of its points."""
        for model in self._models:
            common: dict[str, Any] = {
                semconv.OPERATION_NAME: "chat",
                semconv.PROVIDER_NAME: "openai",
                semconv.REQUEST_MODEL: model,
            }
            self._first.record(0.3, common)
            for outcome in _OUTCOMES:
                self._streams.add(1, common | {semconv.OUTCOME: outcome})
        data = self._reader.get_metrics_data()
        assert data is not None
        body = encode_metrics(data).SerializeToString()
        return Request(body, f"{next(self._number)}", [str(each) for each in range(self.size)])
