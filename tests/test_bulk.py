"""`Batch.record_many` leaves the points that `record` would have left."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import (
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    ExemplarFilter,
    Histogram,
    MeterProvider,
    SimpleFixedSizeExemplarReservoir,
    TraceBasedExemplarFilter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    DropAggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    LastValueAggregation,
    SumAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource

from otel_stream import bulk
from otel_stream.bulk import Batch
from otel_stream.prepared import Prepared

BOTH = (AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA)
TRACE, SPAN = 0xABCDEF, 0x123456
ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "server.port": 443,
    "whole": True,
}
BATCHES = [[random.Random(n).lognormvariate(2, 2) for _ in range(n)] for n in (1, 2, 50, 400)]
BATCHES.append([0, 5.0, 5, 1e9, 2500, 0.0, 1e9 + 1, 4.99])  # bounds, equals, ints, overflow


def in_span(sampled: bool = True) -> Context:
    """A context with a span from elsewhere."""
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT)
    span = trace.SpanContext(TRACE, SPAN, is_remote=False, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(span), Context())


class Side:
    """A provider of its own, with an instrument of each kind and any number of readers."""

    def __init__(
        self,
        views: Sequence[View] = (),
        temporalities: Sequence[AggregationTemporality] = (AggregationTemporality.CUMULATIVE,),
        sampling: ExemplarFilter | None = None,
        advisory: Sequence[float] | None = None,
    ) -> None:
        self.readers = [InMemoryMetricReader({Histogram: kind}) for kind in temporalities]
        self.provider = MeterProvider(
            self.readers, Resource({}), sampling, shutdown_on_exit=False, views=views
        )
        self.histogram = self.provider.get_meter("test").create_histogram(
            "h", explicit_bucket_boundaries_advisory=advisory
        )

    def points(self) -> list[list[Any]]:
        """What each reader collects, without times."""
        return [_points(reader) for reader in self.readers]


def _points(reader: InMemoryMetricReader) -> list[Any]:
    data = reader.get_metrics_data()
    if data is None:
        return []
    return [
        (metric.name, type(metric.data).__name__, [_said(p) for p in metric.data.data_points])
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        if scope.scope.name == "test"  # and not the SDK's own
        for metric in scope.metrics
    ]


def _said(point: Any) -> dict[str, Any]:
    times = {"start_time_unix_nano", "time_unix_nano"}
    said = {name: getattr(point, name) for name in vars(point) if name not in times}
    said["exemplars"] = [
        (pytest.approx(e.value), e.trace_id, e.span_id, e.filtered_attributes)
        for e in point.exemplars
    ]
    if "sum" in said:
        said["sum"] = pytest.approx(said["sum"])
    return said


class Twins:
    """The same values, one by one on one side and at once on the other."""

    def __init__(self, **options: Any) -> None:
        self.plain, self.bulk = Side(**options), Side(**options)

    def record(
        self,
        values: Sequence[float],
        attributes: dict[str, Any] | None = None,
        context: Context | None = None,
    ) -> None:
        attributes = ATTRIBUTES if attributes is None else attributes
        random.seed(1)
        for value in values:
            self.plain.histogram.record(value, attributes, context)
        random.seed(1)
        Batch(context).record_many(self.bulk.histogram, values, Prepared(attributes))

    def assert_same(self) -> list[list[Any]]:
        expected, actual = self.plain.points(), self.bulk.points()

        assert expected == actual
        return actual


_view = partial(View, instrument_name="h")
_buckets = ExplicitBucketHistogramAggregation
VIEWS = {
    "default": [],
    "other boundaries": [_view(aggregation=_buckets([1, 10, 100]))],
    "no boundaries": [_view(aggregation=_buckets([]))],
    "no minimum": [_view(aggregation=_buckets([3.0], record_min_max=False))],
    "some attributes": [_view(attribute_keys={"server.port", "absent"})],
    "no attributes": [_view(attribute_keys=set())],
    "new name beside the old": [_view(name="n", attribute_keys={"whole"}), _view()],
    "drop": [_view(aggregation=DropAggregation())],
    "exponential": [_view(aggregation=ExponentialBucketHistogramAggregation(max_size=20))],
    "sum": [_view(aggregation=SumAggregation())],
    "last value": [_view(aggregation=LastValueAggregation())],
    "other reservoir": [
        _view(exemplar_reservoir_factory=lambda _: lambda **_: SimpleFixedSizeExemplarReservoir(3))
    ],
}


class TestSamePoints:
    """Exported points do not tell which way the values came."""

    def test_the_installed_sdk_is_known(self) -> None:
        """What this file tests is the fast way, not the way around it."""
        assert bulk.fast()

    @pytest.mark.parametrize("views", VIEWS.values(), ids=VIEWS.keys())
    def test_views(self, views: list[View]) -> None:
        """Whatever a view makes of the histogram, batches are counted as single values are."""
        twins = Twins(views=views)
        for batch in BATCHES:
            twins.record(batch, context=in_span())

            twins.assert_same()

    def test_advisory_buckets(self) -> None:
        """Buckets that the instrument advises are used."""
        twins = Twins(advisory=[0.001, 0.5, 7])
        twins.record(BATCHES[2], context=in_span())

        [[(_, _, [point])]] = twins.assert_same()
        assert point["explicit_bounds"] == (0.001, 0.5, 7)

    def test_attribute_sets_stay_apart(self) -> None:
        """Sets that Python holds to be equal, and the SDK does not, are not mixed up."""
        twins = Twins()
        for port in (1, True, 1.0, "1", (1,), None):
            twins.record([1.0, 2.0], {"port": port})
        twins.record([1.0], {})

        twins.assert_same()

    def test_both_ways_meet_in_one_point(self) -> None:
        """Values recorded plainly and in bulk with the same attributes are one point."""
        side = Side()
        side.histogram.record(1.0, ATTRIBUTES)
        Batch().record_many(
            side.histogram, [2.0, 3.0], Prepared(dict(reversed(ATTRIBUTES.items())))
        )
        side.histogram.record(4.0, ATTRIBUTES)

        [[(_, _, [point])]] = side.points()
        assert (point["count"], point["sum"]) == (4, 10.0)

    def test_cumulative_and_delta_readers(self) -> None:
        """Both kinds of readers see what they would have seen, collection by collection."""
        twins = Twins(temporalities=BOTH)
        for batch in (*BATCHES, BATCHES[0], BATCHES[3]):
            twins.record(batch, context=in_span())
            twins.record(batch, {"other": "set"})
            twins.assert_same()
            twins.assert_same()

    def test_cardinality_limit(self) -> None:
        """Attribute sets beyond the limit overflow into the same point, and again after a reset."""
        if not bulk.fast().limits:  # type: ignore[union-attr]
            pytest.skip("this SDK has no limits")
        views = [_view(aggregation_cardinality_limit=3)]
        twins = Twins(views=views, temporalities=BOTH)
        for n in range(10):
            twins.record([n, n + 1], {"n": n % 6})
            if n in {6, 7}:
                twins.assert_same()

        cumulative, delta = twins.assert_same()
        assert (len(cumulative[0][2]), len(delta[0][2])) == (4, 2)

    def test_readers_that_come_and_go(self) -> None:
        """A reader added later gets later values, and one removed no longer counts."""
        side, late = Side(), InMemoryMetricReader()
        prepared = Prepared(ATTRIBUTES)
        Batch().record_many(side.histogram, [1.0, 2.0], prepared)
        side.provider.add_metric_reader(late)
        Batch().record_many(side.histogram, [3.0, 4.0], prepared)
        side.provider.remove_metric_reader(side.readers[0])
        Batch().record_many(side.histogram, [5.0], prepared)

        assert [p["sum"] for _, _, ps in _points(late) for p in ps] == [9.0 + 3.0]

    @given(
        steps=st.lists(
            st.one_of(
                st.none(),
                st.tuples(
                    st.lists(st.floats(0, 1e6) | st.integers(0, 10**6), max_size=40),
                    st.sampled_from([{}, {"a": "x"}, {"a": "y", "b": 1}]),
                    st.sampled_from([None, in_span(), in_span(sampled=False)]),
                ),
            ),
            max_size=12,
        )
    )
    @settings(deadline=None, max_examples=60, database=None)
    def test_any_batches_and_collections(self, steps: list[Any]) -> None:
        """Any batches, with collections (None) in between, leave the same points."""
        twins = Twins(temporalities=BOTH)
        for step in steps:
            if step is None:
                twins.assert_same()
            else:
                twins.record(*step)

        twins.assert_same()


class TestExemplars:
    """A batch leaves the exemplars that its values would have left."""

    @pytest.mark.parametrize("context", [None, in_span(), in_span(sampled=False)])
    @pytest.mark.parametrize(
        "sampling", [AlwaysOnExemplarFilter, AlwaysOffExemplarFilter, TraceBasedExemplarFilter]
    )
    def test_filters(self, sampling: Callable[[], ExemplarFilter], context: Context | None) -> None:
        """The filter decides by the context that was given."""
        twins = Twins(sampling=sampling())
        twins.record(BATCHES[2], context=context)

        twins.assert_same()

    def test_the_last_value_in_each_bucket(self) -> None:
        """Each bucket that got a value shows the last of them, with the span's ids."""
        twins = Twins(advisory=[1, 2, 3])
        twins.record([0.5, 2.5, 1.0, 9.0, 2.2], context=in_span())

        [[(_, _, [point])]] = twins.assert_same()
        assert [(v, TRACE, SPAN, {}) for v in (1.0, 2.2, 9.0)] == point["exemplars"]

    def test_attributes_that_the_view_leaves_out(self) -> None:
        """They are kept on the exemplar."""
        twins = Twins(views=[_view(attribute_keys={"whole"})])
        twins.record([1.0, 1.0], context=in_span())

        [[(_, _, [point])]] = twins.assert_same()
        assert {"whole"} == ATTRIBUTES.keys() - point["exemplars"][0][3].keys()

    def test_a_filter_that_looks_at_values(self) -> None:
        """A filter from elsewhere is asked about every value."""

        class Large(ExemplarFilter):
            def should_sample(self, value: float, *_: Any) -> bool:
                return value > 7

        twins = Twins(sampling=Large())
        twins.record([8.0, 6.0, 7.5, 1.0, 30.0])

        [[(_, _, [point])]] = twins.assert_same()
        assert [exemplar[0] for exemplar in point["exemplars"]] == [7.5, 30.0]
