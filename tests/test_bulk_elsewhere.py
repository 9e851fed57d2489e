"""Single values, instruments that are left to themselves, and many threads at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics as api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import _internal as api_internal
from opentelemetry.sdk.metrics import (
    AlwaysOnExemplarFilter,
    Counter,
    Histogram,
    MeterProvider,
    SimpleFixedSizeExemplarReservoir,
    UpDownCounter,
)
from opentelemetry.sdk.metrics import _internal as sdk_internal
from opentelemetry.sdk.metrics._internal import aggregation as sdk_aggregation
from opentelemetry.sdk.metrics._internal import instrument as sdk_instrument
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import Resource

from otel_stream import bulk, errors
from otel_stream.bulk import Batch
from otel_stream.prepared import Prepared
from otel_stream.testing.point import Point, changes

CUMULATIVE, DELTA = AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA
ATTRIBUTES = {"gen_ai.operation.name": "chat", "server.port": 443, "whole": True}
PREPARED = Prepared(ATTRIBUTES)


class Side:
    """A provider of its own, with an instrument of each kind and any number of readers."""

    def __init__(
        self, *temporalities: AggregationTemporality, views: list[View] | None = None
    ) -> None:
        self.readers = [
            InMemoryMetricReader({Counter: kind, Histogram: kind, UpDownCounter: kind})
            for kind in temporalities or (CUMULATIVE,)
        ]
        self.provider = MeterProvider(
            self.readers, Resource({}), AlwaysOnExemplarFilter(), False, views or []
        )
        meter = self.provider.get_meter("test")
        self.histogram = meter.create_histogram("h")
        self.counter = meter.create_counter("c")
        self.gauge = meter.create_up_down_counter("u")

    def points(self, reader: int = 0) -> list[Point]:
        """What a reader collects: a point a metric and attribute set."""
        return points(self.readers[reader])


def points(reader: InMemoryMetricReader) -> list[Point]:
    """What *reader* collects."""
    found = changes(reader.get_metrics_data())
    return [point for (name, _), point in found if name in {"h", "c", "u"}]


class TestSingle:
    """`Batch.record` and `Batch.add` count as `record` and `add` do."""

    @pytest.mark.parametrize("temporality", [CUMULATIVE, DELTA])
    def test_every_kind_of_instrument(self, temporality: AggregationTemporality) -> None:
        """Counters, up-down counters and histograms, over several collections."""
        plain, single, prepared = Side(temporality), Side(temporality), Prepared(ATTRIBUTES)
        for value in (1, 2.5, 0, 7):
            plain.histogram.record(value, ATTRIBUTES)
            plain.counter.add(value, ATTRIBUTES)
            plain.gauge.add(-value, ATTRIBUTES)
            Batch().record(single.histogram, value, prepared)
            Batch().add(single.counter, value, prepared)
            Batch().add(single.gauge, -value, prepared)

            expected, actual = plain.points(), single.points()
            assert len(expected) == 3
            assert actual == expected
            assert [p.exemplars[0].value for p in actual] == [value, value, -value]

    def test_exemplars(self) -> None:
        """The exemplar has the ids of the span in the context that was given."""
        side, ids = Side(), trace.SpanContext(0xABC, 0x123, is_remote=False)
        context = trace.set_span_in_context(trace.NonRecordingSpan(ids))
        Batch(context).record(side.histogram, 3.0, PREPARED)

        [exemplar] = side.points()[0].exemplars
        assert (exemplar.value, exemplar.trace_id, exemplar.span_id) == (3.0, 0xABC, 0x123)

    def test_the_mapping_may_change_afterwards(self) -> None:
        """What was prepared stays as it was."""
        side, mapping = Side(), {"a": "old"}
        prepared = Prepared(mapping)
        mapping["a"] = "new"
        Batch().record(side.histogram, 1.0, prepared)

        [point] = side.points()
        assert point.attributes == {"a": "old"}

    def test_instruments_and_views_share_a_prepared_set(self) -> None:
        """One set serves instruments whose views keep different parts of it."""
        keys = {"h": {"whole"}, "c": {"server.port"}}
        views = [View(instrument_name=n, attribute_keys=only) for n, only in keys.items()]
        side, prepared = Side(views=views), Prepared(ATTRIBUTES)
        Batch().record(side.histogram, 1.0, prepared)
        Batch().add(side.counter, 1, prepared)
        Batch().add(side.gauge, 1, prepared)

        expected = [{"whole": True}, {"server.port": 443}, ATTRIBUTES]
        assert [point.attributes for point in side.points()] == expected

    @pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0])
    def test_values_that_the_sdk_refuses(self, odd: float) -> None:
        """They are left out, alone or in a batch; what is around them counts."""
        side = Side()
        Batch().record(side.histogram, odd, PREPARED)
        Batch().add(side.counter, odd, PREPARED)
        Batch().record_many(side.histogram, [1.0, odd, 2.0], PREPARED)

        [point] = side.points()
        assert (point.count, point.sum) == (2, 3.0)


class Foreign(api.Histogram):
    """A histogram of no SDK that we know: it has none of the private parts."""

    def __init__(self, *_: Any) -> None:
        self.seen: list[Any] = []

    def record(self, amount: float, attributes: Any = None, context: Any = None) -> None:
        self.seen.append((amount, attributes, context))


class Later(Foreign, sdk_instrument._Histogram):
    """A histogram of an SDK that has one more kind of it."""

    __module__ = "opentelemetry.sdk.metrics.later"


@pytest.fixture
def changed_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For changing the SDK, as a later version might, before it is met for the first time."""
    monkeypatch.setattr(errors, "strict", False)
    bulk.fast.cache_clear()
    bulk._known.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    bulk.fast.cache_clear()
    bulk._known.cache_clear()


class TestElsewhere:
    """What is not known is left to itself."""

    @pytest.mark.parametrize("kind", [Foreign, Later])
    def test_a_foreign_instrument(self, kind: type[Foreign]) -> None:
        """It is given every value, in order, with the attributes and the context."""
        foreign, context = kind(), Context({"a": "value"})
        Batch(context).record_many(foreign, [3.0, 1.0], PREPARED)
        Batch(context).record(foreign, 2.0, PREPARED)

        assert foreign.seen == [(value, ATTRIBUTES, context) for value in (3.0, 1.0, 2.0)]

    def test_no_sdk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A histogram that does nothing is not asked to do so for every value."""
        asked: list[Any] = []
        monkeypatch.setattr(api.NoOpHistogram, "record", lambda *given: asked.append(given))
        Batch().record_many(api.NoOpMeter("none").create_histogram("h"), [1.0, 2.0], PREPARED)

        assert asked == []

    def test_a_proxy_before_and_after_its_provider(self) -> None:
        """A proxy counts from the moment on which its provider is there."""
        proxies, side = api_internal._ProxyMeterProvider(), Side()
        histogram = proxies.get_meter("test").create_histogram("h")
        Batch().record_many(histogram, [1.0, 2.0], PREPARED)
        proxies.on_set_meter_provider(side.provider)
        Batch().record_many(histogram, [4.0, 8.0], PREPARED)
        Batch().record(histogram, 16.0, PREPARED)

        assert [point.sum for point in side.points()] == [28.0]

    def test_after_shutdown(self) -> None:
        """A provider that was shut down still feeds readers that it gets, as with `record`."""
        side, late = Side(), InMemoryMetricReader()
        Batch().record_many(side.histogram, [1.0, 2.0], PREPARED)
        side.provider.shutdown()
        Batch().record_many(side.histogram, [4.0, 8.0], PREPARED)
        side.provider.add_metric_reader(late)
        Batch().record_many(side.histogram, [16.0, 32.0], PREPARED)

        assert [point.sum for point in points(late)] == [48.0]

    def test_a_meter_that_is_switched_off(self) -> None:
        """Nothing is counted while the provider's configuration disables the meter."""
        side, off = Side(), sdk_internal._disable_meter_configurator
        side.provider._set_meter_configurator(meter_configurator=off)
        Batch().record_many(side.histogram, [1.0, 2.0], PREPARED)
        Batch().record(side.histogram, 1.0, PREPARED)

        assert side.points() == []

    def test_nothing_to_record(self) -> None:
        """An empty batch leaves no point."""
        side = Side()
        Batch().record_many(side.histogram, [], PREPARED)

        assert side.points() == []

    def test_an_sdk_without_a_part(self, changed_sdk: pytest.MonkeyPatch) -> None:
        """With one part missing everything is recorded plainly, and right."""
        side = Side()
        changed_sdk.delattr(sdk_instrument, "_UpDownCounter")
        Batch().record_many(side.histogram, [1.0, 2.0], PREPARED)

        assert bulk.fast() is None
        assert [(point.count, point.sum) for point in side.points()] == [(2, 3.0)]

    def test_an_sdk_that_counts_in_another_way(self, changed_sdk: pytest.MonkeyPatch) -> None:
        """With all parts there but another meaning, the SDK's own way is what counts."""
        kind: Any = sdk_aggregation._ExplicitBucketHistogramAggregation
        aggregate = kind.aggregate

        def twice(self: Any, *measured: Any) -> None:
            aggregate(self, *measured)
            aggregate(self, *measured)

        changed_sdk.setattr(kind, "aggregate", twice)
        side = Side()
        Batch().record_many(side.histogram, [1.0, 2.0], PREPARED)

        assert bulk.fast() is None
        assert [(point.count, point.sum) for point in side.points()] == [(4, 6.0)]

    def test_a_reservoir_that_raises(self) -> None:
        """Its error reaches the caller as from `record`, and nothing is counted twice."""

        class Fragile(SimpleFixedSizeExemplarReservoir):
            def offer(self, value: float, *_: Any) -> None:
                if value > 1:
                    raise LookupError("too large")

        view = View(instrument_name="h", exemplar_reservoir_factory=lambda _: lambda **_: Fragile())
        side = Side(CUMULATIVE, DELTA, views=[view])
        Batch().record_many(side.histogram, [1.0], PREPARED)
        with pytest.raises(LookupError):
            Batch().record_many(side.histogram, [2.0, 3.0], PREPARED)

        assert [point.count for point in side.points(0) + side.points(1)] == [3, 1]


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class TestThreads:
    """Many threads that record while another collects."""

    @pytest.mark.parametrize("values", [[0.5, 7.0, 80.0, 2.0], [7.0]], ids=["many", "one"])
    def test_nothing_is_lost_or_doubled(self, values: list[float], eager_threads: None) -> None:
        """What a delta reader collects on the way adds up to all that was recorded."""
        side, prepared = Side(CUMULATIVE, DELTA), PREPARED
        recorded, stop = [], threading.Event()

        def work() -> None:
            while not stop.is_set():
                if len(values) > 1:
                    Batch().record_many(side.histogram, values, prepared)
                else:
                    Batch().record(side.histogram, values[0], prepared)
                recorded.append(len(values))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        deltas: list[Point] = []
        while len(deltas) < 1000 and all(thread.is_alive() for thread in threads):
            deltas += side.points(1)
        stop.set()
        for thread in threads:
            thread.join()
        deltas += side.points(1)

        [total] = side.points(0)
        added = tuple(map(sum, zip(*(point.buckets for point in deltas), strict=True)))
        assert total.count == sum(recorded)
        assert total.buckets == added
