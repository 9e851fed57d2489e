"""Many values into one SDK histogram at once, and single ones without hashing attributes again.

`histogram.record` of opentelemetry-sdk cleans, copies and hashes the attributes for every value:
8 us with six of them, and a stream of 1,000 chunks has 1,000 values of one attribute set. Here the
aggregations are found once, and everything is added there under the SDK's own locks.

That leans on private parts of the SDK (`opentelemetry/sdk/metrics/_internal`), so it is done only
to instruments of exactly the known classes, and only after a rehearsal on a small private provider
gave the same points both ways. All else gets plain `record` and `add`. Which of the two is settled
before the first value is counted, so nothing is counted twice. No reader, view or aggregation is
remembered between calls: readers may come and go, and delta readers may reset. What a reservoir or
an aggregation from elsewhere raises reaches the caller, as it does from `record`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from math import inf, isfinite
from time import time_ns
from typing import Any

from opentelemetry import metrics as api
from opentelemetry.context import Context, get_current

from otel_stream.errors import OtelStreamError, guard
from otel_stream.prepared import Prepared

__all__ = ["Batch", "fast"]

_Adder = api.Counter | api.UpDownCounter


class Batch:
    """Measurements that are all made now, in one context.

    Args:
        context: For exemplars and views; None is the current one.
    """

    __slots__ = ("_context", "_now", "_sampled", "_sampling")

    def __init__(self, context: Context | None = None) -> None:
        self._context = context or get_current()
        self._now = time_ns()
        self._sampling: Any = None
        self._sampled = False

    def record(self, histogram: api.Histogram, value: float, attributes: Prepared) -> None:
        """Do what `histogram.record(value, attributes, context)` would do, in less time."""
        if (sdk := _adapter(histogram)) and 0 <= value < inf:
            self._count(sdk, histogram, value, attributes)
        else:
            histogram.record(value, attributes.attributes, self._context)

    def add(self, counter: _Adder, amount: float, attributes: Prepared) -> None:
        """Do what `counter.add(amount, attributes, context)` would do, in less time."""
        sdk = _adapter(counter)
        if sdk and isfinite(amount) and (amount >= 0 or type(counter) is sdk.signed):
            self._count(sdk, counter, amount, attributes)
        else:
            counter.add(amount, attributes.attributes, self._context)

    def record_many(
        self, histogram: api.Histogram, values: Sequence[float], attributes: Prepared
    ) -> None:
        """Do what `histogram.record(value, attributes, context)` for each of *values* would do.

        In each bucket stays the exemplar that recording would leave: the last.
        """
        real = getattr(histogram, "_real_instrument", histogram)  # a proxy of the API has one
        if real is None or type(real) is api.NoOpHistogram or not len(values):
            return
        values = list(values)
        if (sdk := _adapter(real)) and isfinite(sum(values)) and min(values) >= 0:
            self._count_many(sdk, real, values, attributes)
        else:
            for value in values:
                real.record(value, attributes.attributes, self._context)

    def _count(self, sdk: _Sdk, instrument: Any, value: float, prepared: Prepared) -> None:
        """Do with one value what `SynchronousMeasurementConsumer.consume_measurement` does."""
        where = (self._now, prepared.clean(sdk), self._context)
        sampled = self._samples(instrument, value, where)
        measurement = sdk.measured(instrument, value, where)
        for match in sdk.matches(instrument):
            key, kept = prepared.keyed(sdk, match)
            resets = sdk.limits and match._reset_on_collect
            known = None if resets else match._attributes_aggregation.get(key)
            if known is not None:
                known.aggregate(measurement, sampled)
            elif sdk.limits:
                with match._lock:  # a collection may throw the aggregation away: be done before it
                    found = match._get_or_create_aggregation(key, dict(kept))
                    found.aggregate(measurement, sampled)
            else:
                match.consume_measurement(measurement, sampled)  # only the SDK can make it

    def _count_many(
        self, sdk: _Sdk, instrument: Any, values: list[float], prepared: Prepared
    ) -> None:
        """The same with many."""
        where = (self._now, prepared.clean(sdk), self._context)
        sampled = self._samples(instrument, values[0], where)
        many = _Many(sdk, instrument, values, where, sampled)
        for match in sdk.matches(instrument):
            many.count(match, *prepared.keyed(sdk, match))

    def _samples(self, instrument: Any, value: float, where: tuple[Any, ...]) -> bool:
        """Whether there are exemplars. The known filters look at nothing but the context."""
        sampling = instrument._measurement_consumer._sdk_config.exemplar_filter
        if sampling is not self._sampling:
            self._sampling = sampling
            self._sampled = sampling.should_sample(value, *where)
        return self._sampled


class _Many:
    """Values of one instrument, time, attribute set and context."""

    def __init__(
        self, sdk: _Sdk, instrument: Any, values: list[float], where: Any, sampled: bool
    ) -> None:
        self._sdk, self._instrument = sdk, instrument
        self._values, self._where, self._sampled = values, where, sampled

    def count(self, match: Any, key: Hashable, kept: dict[str, Any]) -> None:
        """Do with all of them what `Batch._count` does with one."""
        resets = self._sdk.limits and match._reset_on_collect
        known = None if resets else match._attributes_aggregation.get(key)
        if known is not None:
            self._merge(known)
        elif self._sdk.limits:
            with match._lock:
                self._merge(match._get_or_create_aggregation(key, dict(kept)))
        else:
            self._feed(match.consume_measurement)

    def _feed(self, take: Callable[[Any, bool], None]) -> None:
        """Have them taken one by one, in the order of arrival."""
        for value in self._values:
            take(self._sdk.measured(self._instrument, value, self._where), self._sampled)

    def _merge(self, aggregation: Any) -> None:
        """Do what `_ExplicitBucketHistogramAggregation.aggregate` does; others do it themselves."""
        if type(aggregation) is not self._sdk.explicit:
            self._feed(aggregation.aggregate)
            return
        ordered, total = sorted(self._values), sum(self._values)
        buckets = _buckets(ordered, aggregation._boundaries)
        with aggregation._lock:
            if aggregation._value is None:
                aggregation._value = aggregation._get_empty_bucket_counts()
            for index, count, _ in buckets:
                aggregation._value[index] += count
            aggregation._sum += total
            if aggregation._record_min_max:
                aggregation._min = min(aggregation._min, ordered[0])
                aggregation._max = max(aggregation._max, ordered[-1])
        reservoir, offered = aggregation._reservoir, self._values if self._sampled else []
        if offered and type(reservoir) is self._sdk.reservoir:
            offered = _lasts(offered, ordered, reservoir._boundaries)
        for value in offered:
            reservoir.offer(value, *self._where)


def _buckets(ordered: list[float], bounds: Sequence[float]) -> list[tuple[int, int, float]]:
    """The buckets that are not empty: index, how many values, the smallest. A bound is inside."""
    found, start = [], 0
    for index, bound in enumerate((*bounds, inf)):
        stop = bisect_right(ordered, bound, start)
        if stop > start:
            found.append((index, stop - start, ordered[start]))
            start = stop
    return found


def _lasts(values: list[float], ordered: list[float], bounds: Sequence[float]) -> list[float]:
    """The last value in each bucket: all that `AlignedHistogramBucketExemplarReservoir` keeps."""
    buckets = _buckets(ordered, bounds)
    found = {index: value for index, count, value in buckets if count == 1}
    for value in reversed(values):
        if len(found) == len(buckets):
            break
        found.setdefault(bisect_left(bounds, value), value)
    return list(found.values())


class _Sdk:
    """The parts of the installed SDK that are worked with."""

    def __init__(self) -> None:
        from opentelemetry.sdk import metrics as public
        from opentelemetry.sdk.metrics._internal import _view_instrument_match as matching
        from opentelemetry.sdk.metrics._internal import aggregation, instrument, measurement
        from opentelemetry.sdk.metrics._internal import measurement_consumer as consumer

        self.signed = instrument._UpDownCounter
        self.instruments = {instrument._Counter, instrument._Histogram, self.signed}
        self.consumer = consumer.SynchronousMeasurementConsumer
        self.explicit: Any = aggregation._ExplicitBucketHistogramAggregation
        self.reservoir = public.AlignedHistogramBucketExemplarReservoir
        # Exemplar filters that look at nothing but the context.
        self.filters = {
            public.AlwaysOffExemplarFilter,
            public.AlwaysOnExemplarFilter,
            public.TraceBasedExemplarFilter,
        }
        self.measurement: Any = measurement.Measurement
        self.key = getattr(matching, "_hash_attributes", lambda kept: frozenset(kept.items()))
        # Since 1.45.2 attribute sets are limited, and collections by delta readers reset them.
        self.limits = hasattr(matching._ViewInstrumentMatch, "_get_or_create_aggregation")

    def matches(self, instrument: Any) -> list[Any]:
        """Where *instrument* counts: each view of each reader."""
        if not instrument._is_enabled():
            return []
        # Replaced, never changed, when readers come and go.
        storages = instrument._measurement_consumer._reader_storages.values()
        return [m for s in storages for m in s._get_or_init_view_instrument_match(instrument)]

    def measured(self, instrument: Any, value: float, where: tuple[Any, ...]) -> Any:
        """A `Measurement` made without the constructor, which would clean the attributes again."""
        measurement = object.__new__(self.measurement)
        fields = measurement.__dict__
        fields["value"], fields["instrument"] = value, instrument
        fields["time_unix_nano"], fields["attributes"], fields["context"] = where
        return measurement


def _adapter(instrument: Any) -> _Sdk | None:
    """What to work on *instrument* with; None if it is to be left to itself."""
    sdk = _known(instrument.__class__)
    if sdk is None or type(instrument._measurement_consumer) is not sdk.consumer:
        return None
    sampling = instrument._measurement_consumer._sdk_config.exemplar_filter
    return sdk if type(sampling) in sdk.filters else None


@lru_cache(maxsize=64)
def _known(kind: type) -> _Sdk | None:
    sdk = fast() if kind.__module__.startswith("opentelemetry.sdk.") else None
    return sdk if sdk and kind in sdk.instruments else None


@lru_cache(maxsize=1)
def fast() -> _Sdk | None:
    """The installed SDK if the rehearsal on it went well; None if it is left to itself."""
    with guard("bulk"):
        _rehearse(sdk := _Sdk())
        return sdk
    return None


def _rehearse(sdk: _Sdk) -> None:
    """Count both ways on a private provider, for a cumulative and a delta reader.

    Raises: `OtelStreamError` if the points differ, and whatever comes of parts that have changed.
    """
    from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, Histogram, MeterProvider
    from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
    from opentelemetry.sdk.resources import Resource

    deltas: dict[type, Any] = {Histogram: AggregationTemporality.DELTA}
    readers = (InMemoryMetricReader(), InMemoryMetricReader(deltas))
    provider = MeterProvider(readers, Resource({}), AlwaysOnExemplarFilter(), False)
    plain, bulk = (provider.get_meter(__name__).create_histogram(name) for name in "pb")
    prepared = Prepared({"text": "a", "number": 1})
    for one, *more, last in ([3.0, 7.0, 0.5, 6.0, 1], [30.0, 3.0, 1], [2.0, 9e9, 9e8, 1, 1.5]):
        for value in (one, *more, last):
            plain.record(value, prepared.attributes)
        Batch()._count(sdk, bulk, one, prepared)
        Batch()._count_many(sdk, bulk, more, prepared)
        bulk.record(last, prepared.attributes)
        for reader in readers:
            data: Any = reader.get_metrics_data()
            these, those = data.resource_metrics[0].scope_metrics[0].metrics
            if _timeless(these) != _timeless(those):
                raise OtelStreamError("values counted at once and one by one give other points")


def _timeless(metric: Any) -> list[Any]:
    """What the points of a histogram say, their times aside."""
    return [
        (p.attributes, p.sum, p.bucket_counts, p.min, p.max, [e.value for e in p.exemplars])
        for p in metric.data.data_points
    ]
