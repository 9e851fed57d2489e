"""What each back end keeps equals what was sent: spans one by one, and every figure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from otel_stream.pipeline.influxdb import InfluxDB
from otel_stream.pipeline.jaeger import Jaeger
from otel_stream.pipeline.prometheus import Prometheus
from stack.servers.running import DATABASE, Stack
from tests.stack import otlp
from tests.stack.sent import Sent

T = TypeVar("T")

OWN_LABELS = {
    "job", "instance", "otel_scope_name", "otel_scope_version", "otel_scope_schema_url"
}  # fmt: skip
"""What Prometheus's series have beside the attributes."""
OWN_TAGS = {"time", "host", "service.name"}
"""What InfluxDB's rows have beside the attributes."""
UNITS = {"s": "_seconds", "{token}/s": "_per_second"}
OUTCOMES = {"completed", "closed_early", "cancelled", "abandoned", "truncated", "error"}


def settled(ask: Callable[[], T], expected: T, timeout: float = 40.0) -> T:
    """What `ask` answers once it is what is expected, or after so many seconds."""
    until = time.monotonic() + timeout
    while (found := ask()) != expected and time.monotonic() < until:
        time.sleep(0.2)
    return found


def as_jaeger_stores(span: Mapping[str, Any]) -> dict[str, Any]:
    """The same span, lists written as JSON: Jaeger's storage on the disk knows none."""
    attributes = {
        key: json.dumps(value, separators=(",", ":")) if isinstance(value, tuple) else value
        for key, value in span["attributes"].items()
    }
    return {**span, "attributes": attributes}


def underscored(name: str) -> str:
    """A name as Prometheus has it."""
    return re.sub(r"\W", "_", name)


def prometheus_name(metric: str, point: otlp.Point) -> str:
    """A metric's name as Prometheus has it."""
    counter = "_total" if point.monotonic else ""
    return underscored(metric) + UNITS.get(point.unit, "") + counter


def figures(metric: str, labels: Mapping[str, Any], point: otlp.Point) -> dict[Any, float]:
    """The samples that Prometheus makes of a point: value, or sum, count and cumulative buckets."""
    name = prometheus_name(metric, point)
    common = frozenset((underscored(key), str(value)) for key, value in labels.items())
    if point.value is not None:
        return {(name, common): point.value}
    found = {(f"{name}_sum", common): point.sum, (f"{name}_count", common): float(point.count)}
    so_far = 0
    for count, bound in zip(point.buckets, [*point.bounds, "+Inf"], strict=True):
        so_far += count
        found[f"{name}_bucket", common | {("le", str(float(bound)))}] = float(so_far)
    return found


def labelled(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Labels to compare: a bound is written as 256, 256.0 or 2.56e+02, depending on who writes."""
    return frozenset(
        (key, str(float(value)) if key == "le" else value)
        for key, value in labels.items()
        if key not in OWN_LABELS
    )


def expected_figures(sent: Sent) -> dict[Any, float]:
    """Every sample that is to be found of what was sent."""
    found: dict[Any, float] = {}
    for (metric, labels, _), point in sent.points.items():
        found |= figures(metric, dict(labels), point)
    return found


def test_the_demo_has_every_outcome(sent: Sent) -> None:
    """The comparison is worth something: streams of all six outcomes were sent."""
    found = {span["attributes"]["otel_stream.outcome"] for span in sent.streams.values()}

    assert found == OUTCOMES


def test_jaeger_keeps_every_span(sent: Sent, running: Stack) -> None:
    """Jaeger has each span that was sent, attribute by attribute and event by event."""
    jaeger = Jaeger(running.jaeger.url)
    trace_ids = sorted({trace_id for trace_id, _ in sent.spans})
    expected = {key: as_jaeger_stores(span) for key, span in sent.spans.items()}

    def kept() -> dict[tuple[str, str], dict[str, Any]]:
        found = otlp.spans({"resourceSpans": jaeger.resource_spans(each)} for each in trace_ids)
        for span in found.values():
            # Of a receipt, which comes after the message that it is about: clocks may differ.
            span["attributes"].pop("@jaeger@warnings", None)
        return found

    assert settled(kept, expected) == expected


def test_the_json_lines_keep_every_span(sent: Sent, running: Stack) -> None:
    """The agent's file has each span that was sent, attribute by attribute and event by event."""

    def kept() -> dict[tuple[str, str], dict[str, Any]]:
        found = otlp.spans(otlp.lines(otlp.files(running.agent.data, "traces")))
        return {key: span for key, span in found.items() if key in sent.spans}

    assert settled(kept, sent.spans) == sent.spans


def flat_lines(folder: Path) -> dict[str, dict[str, Any]]:
    """What `otel-stream streams` prints of a folder, by span id."""
    command = [sys.executable, "-m", "otel_stream", "streams", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line["span_id"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_the_flat_lines_are_those_of_what_was_sent(sent: Sent, running: Stack) -> None:
    """A line a stream: of the agent's file the same as of the service's own."""
    expected = flat_lines(sent.files)

    def kept() -> dict[str, dict[str, Any]]:
        found = flat_lines(running.agent.data)
        return {key: line for key, line in found.items() if key in expected}

    assert expected.keys() == {span_id for _, span_id in sent.streams}
    assert settled(kept, expected) == expected


def test_the_json_lines_keep_every_figure(sent: Sent, running: Stack) -> None:
    """The agent's file has each metric's last point, bucket by bucket."""
    instances = {instance for _, _, instance in sent.points}

    def kept() -> dict[Any, Any]:
        found = otlp.points(otlp.lines(otlp.files(running.agent.data, "metrics")))
        return {key: point.figures for key, point in found.items() if key[2] in instances}

    expected = {key: point.figures for key, point in sent.points.items()}

    assert settled(kept, expected) == expected


def test_the_json_lines_keep_every_log_record(sent: Sent, running: Stack) -> None:
    """The agent's file has each event that was sent as a log record."""

    def kept() -> list[dict[str, Any]]:
        spans = {record["span"] for record in sent.logs}
        found = otlp.log_records(otlp.lines(otlp.files(running.agent.data, "logs")))
        return [record for record in found if record["span"] in spans]

    assert sent.logs
    assert settled(kept, sent.logs) == sent.logs


def test_prometheus_keeps_every_figure(sent: Sent, running: Stack) -> None:
    """Prometheus has each value, sum, count and bucket of each series."""
    prometheus = Prometheus(running.prometheus.url)
    [instance] = {instance for _, _, instance in sent.points}
    expected = expected_figures(sent)

    def kept() -> dict[Any, float]:
        found = {}
        for labels, value in prometheus.query(f'{{job="demo", instance="{instance}"}}'):
            name = labels.pop("__name__")
            found[name, labelled(labels)] = value
        return {key: value for key, value in found.items() if key[0] != "target_info"}

    assert settled(kept, expected) == expected


def test_influxdb_keeps_every_figure(sent: Sent, running: Stack) -> None:
    """The sums over all intervals in InfluxDB are each value, sum, count and bucket.

    Open streams are not there: without the process that counts them they say nothing.
    """
    influxdb = InfluxDB(running.influxdb.url, DATABASE)
    expected = {
        key: value
        for key, value in expected_figures(sent).items()
        if value and key[0] != "otel_stream_streams_active"
    }

    def kept() -> dict[Any, float]:
        query = "SELECT sum(*) FROM prometheus WHERE \"service.name\" = 'demo' GROUP BY *"
        found = {}
        for row in influxdb.query(query):
            fields = {key: row.pop(key) for key in list(row) if key.startswith("sum_")}
            named = {key: value for key, value in row.items() if value and key not in OWN_TAGS}
            labels = labelled(named)
            for field, value in fields.items():
                name = field.removeprefix("sum_")
                if value and "_spans_" not in name and name != "start_time_unix_nano":
                    found[name, labels] = value
        return found

    found = settled(kept, expected)

    assert found.keys() == expected.keys()
    assert {key: round(value, 9) for key, value in found.items()} == {
        key: round(value, 9) for key, value in expected.items()
    }


def test_no_tag_in_influxdb_is_an_id(sent: Sent, running: Stack) -> None:
    """Neither a trace, a span nor a process names a series, so their number is bounded."""
    influxdb = InfluxDB(running.influxdb.url, DATABASE)
    ids = {part for key in sent.spans for part in key} | {each for _, _, each in sent.points}

    def tags() -> set[str]:
        keys = [row["tagKey"] for row in influxdb.query("SHOW TAG KEYS")]
        quoted = ", ".join(f'"{key}"' for key in keys)
        if not quoted:
            return set()
        rows = influxdb.query(f"SHOW TAG VALUES WITH KEY IN ({quoted})")
        return {row["value"] for row in rows}

    settled(lambda: "demo" in tags(), True)

    assert tags() & ids == set()
    assert [row["name"] for row in influxdb.query("SHOW MEASUREMENTS")] == ["prometheus"]


def test_an_exemplar_leads_to_its_trace(sent: Sent, running: Stack) -> None:
    """The exemplar of a first token's time is a stream that was sent, and Jaeger has it."""
    prometheus, jaeger = Prometheus(running.prometheus.url), Jaeger(running.jaeger.url)
    expression = 'otel_stream_time_to_first_token_seconds_bucket{job="demo"}'

    def exemplars() -> set[tuple[str, str]]:
        now = time.time()
        return {
            (each["labels"]["trace_id"], each["labels"]["span_id"])
            for series in prometheus.exemplars(expression, now - 3600, now)
            for each in series["exemplars"]
        }

    settled(lambda: bool(exemplars()), True)
    found = exemplars()

    assert found
    assert found <= set(sent.streams)
    assert all(jaeger.resource_spans(trace_id) for trace_id, _ in found)


def test_the_figures_made_from_spans_are_right(sent: Sent, running: Stack) -> None:
    """From the spans alone the agent counts the streams by outcome, and their first tokens."""
    prometheus = Prometheus(running.prometheus.url)
    streams = [span["attributes"] for span in sent.streams.values()]
    expected = Counter(each["otel_stream.outcome"] for each in streams)
    first_tokens = [
        each["otel_stream.time_to_first_token"]
        for each in streams
        if "otel_stream.time_to_first_token" in each
    ]

    def counted() -> dict[str, float]:
        expression = 'sum by (otel_stream_outcome) (otel_stream_spans_calls_total{job="demo"})'
        return {s.labels["otel_stream_outcome"]: s.value for s in prometheus.query(expression)}

    assert settled(counted, dict(expected)) == expected
    [total] = prometheus.query(
        'sum(otel_stream_spans_first_token_duration_seconds_sum{job="demo"})'
    )
    assert round(total.value, 6) == round(sum(first_tokens), 6)
