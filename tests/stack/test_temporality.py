"""Whether a sender counts from the beginning or from export to export, the figures are the same."""

from __future__ import annotations

import time

import pytest
from opentelemetry.sdk.metrics.export import AggregationTemporality

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
