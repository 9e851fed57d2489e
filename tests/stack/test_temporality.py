"""However a sender counts, the figures are the same: in deltas or not, with ids or not."""

from __future__ import annotations

import time

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

from otel_stream.pipeline.influxdb import InfluxDB
from otel_stream.pipeline.prometheus import Prometheus
from stack.servers.running import DATABASE, Stack
from tests.conftest import eventually
from tests.stack.counted import Counted

DELTA, CUMULATIVE = AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE], ids=["delta", "cumulative"])
@pytest.mark.parametrize("kind", ["counter", "histogram"])
def test_both_temporalities_count_the_same(
    running: Stack, temporality: AggregationTemporality, kind: str
) -> None:
    """Prometheus and InfluxDB have the whole count, of a counter and of a histogram."""
    service = f"{temporality.name}-{kind}".lower()
    field = {"counter": "counted_total", "histogram": "stepped_seconds_count"}[kind]
    prometheus = Prometheus(running.prometheus.url)
    influxdb = InfluxDB(running.influxdb.url, DATABASE)

    with Counted(running.agent.http, service, temporality) as counted:
        time.sleep(3.0)

    def found() -> list[float]:
        samples = prometheus.query(f'{field}{{job="{service}"}}')
        where = f"\"service.name\" = '{service}'"
        rows = influxdb.query(f"SELECT sum({field}) FROM prometheus WHERE {where}")
        return [sample.value for sample in samples] + [row["sum"] for row in rows]

    assert eventually(lambda: found() == [counted.value, counted.value], 20.0), found()


def test_what_differs_only_by_an_id_is_one_point(running: Stack) -> None:
    """An id that an application puts on its metrics is no tag, and the sum is right."""
    influxdb = InfluxDB(running.influxdb.url, DATABASE)
    exporter = OTLPMetricExporter(endpoint=f"{running.agent.http}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter)
    resource = Resource({"service.name": "with-ids"})
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    counter = provider.get_meter("tests").create_counter("identified", "{step}")
    for number in range(20):
        counter.add(1, {"session.id": f"s{number}", "trace_id": f"t{number}", "kind": "step"})
    provider.shutdown()

    def found() -> list[tuple[str, float]]:
        where = "\"service.name\" = 'with-ids'"
        rows = influxdb.query(
            f"SELECT sum(identified_total) FROM prometheus WHERE {where} GROUP BY *"
        )
        return [(row["kind"], row["sum"]) for row in rows]

    assert eventually(lambda: found() == [("step", 20)], 20.0), found()
    keys = {row["tagKey"] for row in influxdb.query("SHOW TAG KEYS")}
    assert keys & {"session_id", "trace_id"} == set()
