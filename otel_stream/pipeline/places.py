"""The back ends as the check sees them: what is there of one marked stream."""

from __future__ import annotations

import json
import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from otel_stream.pipeline.answer import shown
from otel_stream.pipeline.figures import Figures, figures, label, totals
from otel_stream.pipeline.hop import Look, Part
from otel_stream.pipeline.influxdb import InfluxDB
from otel_stream.pipeline.jaeger import Jaeger
from otel_stream.pipeline.jsonfiles import JsonFiles
from otel_stream.pipeline.marked import SERVICE
from otel_stream.pipeline.otlp import Span, points, records, spans
from otel_stream.pipeline.prometheus import Prometheus
from otel_stream.pipeline.sent import Sent

__all__ = ["FROM_SPANS", "Files", "Influx", "Place", "Series", "Traces"]

FROM_SPANS = "figures from spans"
_EARLIER = 3600
"""Seconds by which the clock of the host that writes to InfluxDB may be behind ours."""
_NAMED = 3
_EQUAL = 1e-6
_FROM_SPANS = f'otel_stream_spans_duration_seconds_{{}}{{{{job="{SERVICE}"}}}}'
_SUMS = "SELECT sum(*) FROM prometheus WHERE \"service.name\" = '{}' AND time >= {}"


class Place(Protocol):
    """A back end. The methods block for as long as it takes to ask; both may raise `Unreachable`,
    or one of `otlp.UNREADABLE` when an answer is not what it should be."""

    name: str
    where: str
    parts: list[Part]

    def begin(self) -> None:
        """Look at what is there before anything is sent. Called once."""
        ...

    def look(self, sent: Sent, part: Part) -> Look:
        """What is there of a part now. Called until it is whole, or nobody waits any longer."""
        ...


class Traces:
    """Jaeger, or whatever else has its query API."""

    name = "Jaeger"

    def __init__(self, url: str) -> None:
        self.where = shown(url)
        self.parts = [Part(self.name, "trace", "traces")]
        self._jaeger = Jaeger(url)

    def begin(self) -> None:
        self._jaeger.services()

    def look(self, sent: Sent, part: Part) -> Look:
        found = spans({"resourceSpans": self._jaeger.resource_spans(sent.trace_id)})
        return _compared(sent.spans, found)


class Files:
    """The folder of the agent's JSON lines."""

    name = "JSON lines"

    def __init__(self, folder: str) -> None:
        self.where = folder
        self.parts = [Part(self.name, signal, signal) for signal in ("traces", "metrics", "logs")]
        self._files = JsonFiles(folder)
        self._spans: dict[str, Span] = {}
        self._points: dict[Any, Any] = {}
        self._records: list[Any] = []

    def begin(self) -> None:
        self._files.begin()

    def look(self, sent: Sent, part: Part) -> Look:
        for batch in self._files.fresh(part.signal, sent.instance):
            self._spans |= spans(batch)
            self._points |= points(batch, sent.instance)
            self._records += records(batch, sent.trace_id)
        if part.signal == "traces":
            return _compared(sent.spans, self._spans)
        if part.signal == "metrics":
            right = sum(self._points.get(key) == point for key, point in sent.points.items())
            return _count(right, len(sent.points), "points")
        left = list(self._records)
        right = sum(_take(left, partial(operator.eq, record)) for record in sent.records)
        return _count(right, len(sent.records), "records")


class Series:
    """Prometheus, or whatever else has its API."""

    name = "Prometheus"

    def __init__(self, url: str) -> None:
        self.where = shown(url)
        self.parts = [Part(self.name, "metrics", "metrics"), Part(self.name, FROM_SPANS, "traces")]
        self.prometheus = Prometheus(url)
        self._before: dict[Any, tuple[float, float]] = {}

    def begin(self) -> None:
        self._before = self._spans()

    def look(self, sent: Sent, part: Part) -> Look:
        return self._from_spans(sent.seconds) if part.what == FROM_SPANS else self._own(sent)

    def _own(self, sent: Sent) -> Look:
        expected = figures(sent.points)
        count = sum(map(len, expected.values()))
        right = _equal(expected, self._series("job", "instance", sent.instance))
        if right:
            return _count(right, count, "series")
        renamed = _equal(expected, self._series("exported_job", "exported_instance", sent.instance))
        return Look(0, count, "as exported_instance" if renamed else "")

    def _series(self, job: str, instance: str, value: str) -> Figures:
        found: Figures = {}
        for labels, number in self.prometheus.query(f'{{{job}="{SERVICE}",{instance}="{value}"}}'):
            found.setdefault(labels.pop("__name__"), []).append((labels, number))
        return found

    def _from_spans(self, seconds: float) -> Look:
        """The agent counts streams by their spans, and adds up how long they are.

        No id is in that: one more stream is ours if it was as long. Of several more, one may be.
        """
        for series, (count, total) in self._spans().items():
            before = self._before.get(series, (0.0, 0.0))
            if count < before[0]:  # the agent was started anew
                before = (0.0, 0.0)
            more, longer = count - before[0], total - before[1] - seconds
            if (more == 1 and abs(longer) < _EQUAL) or (more > 1 and longer > -_EQUAL):
                return Look(1, 1, f"{more:g} more stream{'s' * (more > 1)}")
        return Look(0, 1)

    def _spans(self) -> dict[Any, tuple[float, float]]:
        """Count and seconds of each series of spans."""
        counts, sums = (
            {frozenset(_unnamed(labels)): value for labels, value in self.prometheus.query(asked)}
            for asked in (_FROM_SPANS.format("count"), _FROM_SPANS.format("sum"))
        )
        return {series: (counts[series], sums[series]) for series in counts if series in sums}


class Influx:
    """A database of InfluxDB, in the schema telegraf-prometheus-v2.

    No id gets there, so what is compared is how much the sums have grown. Other checks that run at
    the same moment add to them.
    """

    name = "InfluxDB"

    def __init__(self, url: str, database: str, now: Callable[[], float]) -> None:
        self.where = f"{shown(url)}, database {database}"
        self.parts = [Part(self.name, "metrics", "metrics")]
        self._influxdb = InfluxDB(url, database)
        self._since = now()
        self._before: Counter[str] = Counter()

    def begin(self) -> None:
        before = self._sums(self._since - _EARLIER)
        self._since, self._before = self._since - _EARLIER, before

    def look(self, sent: Sent, part: Part) -> Look:
        now = self._sums(self._since)
        expected = totals(sent.points)
        right = sum(
            now[name] - self._before[name] >= value - 1e-6 for name, value in expected.items()
        )
        return _count(right, len(expected), "sums")

    def _sums(self, since: float) -> Counter[str]:
        rows = self._influxdb.query(_SUMS.format(SERVICE, round(since * 1e9)))
        found: Counter[str] = Counter()
        for row in rows:
            sums = {key.removeprefix("sum_"): value for key, value in row.items() if value}
            found.update({k: v for k, v in sums.items() if isinstance(v, int | float)})
        return found


def _unnamed(labels: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(key, value) for key, value in labels.items() if key != "__name__"}


def _count(found: int, expected: int, what: str) -> Look:
    return Look(found, expected, f"{found} {what}" if found else "")


def _compared(sent: Mapping[str, Span], found: Mapping[str, Span]) -> Look:
    """How many spans, attributes and events are as they were sent. More than that may be there."""
    right = expected = attributes = events = 0
    wrong: list[str] = []
    for span_id, span in sent.items():
        expected += 1 + len(span.attributes) + len(span.events)
        if (there := found.get(span_id)) is None:
            continue
        good = [k for k, v in span.attributes.items() if _alike(v, there.attributes.get(k))]
        wrong += [key for key in span.attributes if key not in good]
        left = list(there.events)
        kept = [event for event in span.events if _take(left, partial(_within, event))]
        wrong += [event[1] for event in span.events if event not in kept]
        attributes, events = attributes + len(good), events + len(kept)
        right += 1 + len(good) + len(kept)
    if wrong:
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        return Look(right, expected, f"not as sent: {', '.join(wrong[:_NAMED])}{more}")
    return Look(right, expected, f"{attributes} attributes, {events} events" if right else "")


def _take(left: list[Any], fits: Callable[[Any], bool]) -> bool:
    """Take the first that fits out of the list. Whether there was one."""
    for index, each in enumerate(left):
        if fits(each):
            del left[index]
            return True
    return False


def _within(sent: Any, found: Any) -> bool:
    """Whether an event is there, whatever other attributes it has got."""
    attributes = all(_alike(value, found[2].get(key)) for key, value in sent[2].items())
    return attributes and found[:2] == sent[:2]


def _alike(sent: Any, found: Any) -> bool:
    """Whether it is the same value. Some storages of Jaeger know no lists, and keep their JSON."""
    if isinstance(sent, tuple) and isinstance(found, str):
        return found == json.dumps(sent, separators=(",", ":"))
    return bool(sent == found)


def _equal(expected: Figures, found: Figures) -> int:
    """How many series are there with their value, whatever other labels they have."""
    return sum(
        any(_has(there, labels) and math.isclose(number, value) for there, number in series)
        for name, wanted in expected.items()
        for labels, value in wanted
        if (series := found.get(name))
    )


def _has(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(
        label(key, found[key]) == label(key, value) if key in found else False
        for key, value in wanted.items()
    )
