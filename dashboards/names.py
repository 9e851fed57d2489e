"""Names of metrics and labels as Prometheus and InfluxDB have them, made from `semconv`.

The translation is that of the collector's `UnderscoreEscapingWithSuffixes`: dots become
underscores, the unit is appended (what stands in braces is left out), a counter ends in `_total`.
Metrics that the collector makes itself, from spans or about itself, have no name in `semconv`; they
stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from otel_stream import semconv

__all__ = ["ALL", "COLLECTORS", "SIGNALS", "Metric", "label"]

Kind = Literal["counter", "gauge", "histogram"]

_UNITS = {"s": "seconds", "By": "bytes"}


def label(attribute: str) -> str:
    """An attribute's name as a label or a tag."""
    return attribute.replace(".", "_")


def _suffix(unit: str) -> str:
    """What a unit adds to a name: `s` adds `_seconds`, `{token}/s` adds `_per_second`."""
    amount, _, per = unit.partition("/")
    whole = "" if amount.startswith("{") else _UNITS.get(amount, amount)
    parts = [whole, f"per_{_UNITS.get(per, per).removesuffix('s')}" if per else ""]
    return "".join(f"_{part}" for part in parts if part)


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        otel: Its name in OpenTelemetry.
        unit: Its unit there.
        kind: An up-down counter is a gauge to Prometheus.
    """

    otel: str
    unit: str
    kind: Kind

    @property
    def stem(self) -> str:
        """The name with its unit, without what its kind adds."""
        return label(self.otel) + _suffix(self.unit)

    @property
    def series(self) -> str:
        """The series that holds the value; of a histogram its buckets."""
        ends = {"counter": "_total", "gauge": "", "histogram": "_bucket"}
        return self.stem + ends[self.kind]

    @property
    def sum(self) -> str:
        """The series of a histogram's sum."""
        return f"{self.stem}_sum"

    @property
    def count(self) -> str:
        """The series of a histogram's count."""
        return f"{self.stem}_count"

    @property
    def names(self) -> tuple[str, ...]:
        """All series that it has."""
        if self.kind == "histogram":
            return (self.series, self.sum, self.count)
        return (self.series,)


# --- the SDK's
FIRST_TOKEN = Metric(semconv.METRIC_TIME_TO_FIRST_TOKEN, "s", "histogram")
FIRST_TEXT = Metric(semconv.METRIC_TIME_TO_FIRST_TEXT, "s", "histogram")
STREAMS = Metric(semconv.METRIC_STREAMS, "{stream}", "counter")
ACTIVE = Metric(semconv.METRIC_STREAMS_ACTIVE, "{stream}", "gauge")
STALLS = Metric(semconv.METRIC_STALLS, "{stall}", "counter")
SPEED = Metric(semconv.METRIC_OUTPUT_TOKENS_PER_SECOND, "{token}/s", "histogram")
COST = Metric(semconv.METRIC_COST, "USD", "counter")
DROPPED = Metric(semconv.METRIC_EVENTS_DROPPED, "{event}", "counter")
FIRST_MESSAGE = Metric(semconv.METRIC_DELIVERY_TIME_TO_FIRST_MESSAGE, "s", "histogram")
LAST_MESSAGE = Metric(semconv.METRIC_DELIVERY_TIME_TO_LAST_MESSAGE, "s", "histogram")
MESSAGES = Metric(semconv.METRIC_DELIVERY_MESSAGES, "{message}", "counter")
DELIVERY_LATENCY = Metric(semconv.METRIC_DELIVERY_LATENCY, "s", "histogram")
QUEUE_WAIT = Metric(semconv.METRIC_DELIVERY_QUEUE_WAIT, "s", "histogram")

# --- the convention's, by its released and by its latest names: a service has one or the other
DURATION = tuple(
    Metric(names["duration"], "s", "histogram") for names in (semconv.RELEASED, semconv.LATEST)
)
CHUNK_WAIT = tuple(
    Metric(names["time_per_output_chunk"], "s", "histogram")
    for names in (semconv.RELEASED, semconv.LATEST)
)
TOKENS = Metric(semconv.RELEASED["token_usage"], "{token}", "histogram")
INPUT_TOKENS = Metric(semconv.LATEST["input_tokens"], "{token}", "histogram")
OUTPUT_TOKENS = Metric(semconv.LATEST["output_tokens"], "{token}", "histogram")

# --- made from spans by agents (connectors `span_metrics` of agent.yaml)
SPAN_CALLS = Metric("otel_stream.spans.calls", "", "counter")
SPAN_DURATION = Metric("otel_stream.spans.duration", "s", "histogram")
SPAN_EVENTS = Metric("otel_stream.spans.events", "", "counter")
SPAN_FIRST_TOKEN = Metric("otel_stream.spans.first_token.duration", "s", "histogram")

# --- what a collector says of itself, for each kind of data
SIGNALS = {"spans": "traces", "metric_points": "metrics", "log_records": "logs"}


def of_signals(name: str) -> dict[str, Metric]:
    """A counter that a collector has for spans, metric points and log records, by the signal."""
    return {
        signal: Metric(f"otelcol.{name}.{items}", "", "counter")
        for items, signal in SIGNALS.items()
    }


ACCEPTED = of_signals("receiver_accepted")
REFUSED = of_signals("receiver_refused")
RECEIVE_FAILED = of_signals("receiver_failed")
SENT = of_signals("exporter_sent")
SEND_FAILED = of_signals("exporter_send_failed")
ENQUEUE_FAILED = of_signals("exporter_enqueue_failed")
LIMITER_REFUSED = of_signals("processor_refused")
QUEUE_SIZE = Metric("otelcol.exporter_queue_size", "", "gauge")
QUEUE_CAPACITY = Metric("otelcol.exporter_queue_capacity", "", "gauge")
IN_FLIGHT = Metric("otelcol.exporter_in_flight_requests", "", "gauge")
CPU = Metric("otelcol.process_cpu", "s", "counter")
MEMORY = Metric("otelcol.process_memory_rss", "By", "gauge")
HEAP = Metric("otelcol.process_runtime_heap_alloc", "By", "gauge")
UPTIME = Metric("otelcol.process_uptime", "s", "counter")

OURS = (
    FIRST_TOKEN, FIRST_TEXT, STREAMS, ACTIVE, STALLS, SPEED, COST, DROPPED, FIRST_MESSAGE,
    LAST_MESSAGE, MESSAGES, DELIVERY_LATENCY, QUEUE_WAIT,
)  # fmt: skip
CONVENTION = (*DURATION, *CHUNK_WAIT, TOKENS, INPUT_TOKENS, OUTPUT_TOKENS)
SPANS = (SPAN_CALLS, SPAN_DURATION, SPAN_EVENTS, SPAN_FIRST_TOKEN)
COLLECTORS = (
    *(
        metric
        for family in (
            ACCEPTED, REFUSED, RECEIVE_FAILED, SENT, SEND_FAILED, ENQUEUE_FAILED,
            LIMITER_REFUSED,
        )
        for metric in family.values()
    ),
    QUEUE_SIZE, QUEUE_CAPACITY, IN_FLIGHT, CPU, MEMORY, HEAP, UPTIME,
)  # fmt: skip
ALL = (*OURS, *CONVENTION, *SPANS, *COLLECTORS)

# --- labels
SERVICE = "job"
INSTANCE = "instance"
PROVIDER = label(semconv.PROVIDER_NAME)
MODEL = label(semconv.REQUEST_MODEL)
OUTCOME = label(semconv.OUTCOME)
TOKEN_TYPE = label(semconv.TOKEN_TYPE)
USAGE_SOURCE = label(semconv.USAGE_SOURCE)
DROP_REASON = label(semconv.DROP_REASON)
CHANNEL = label(semconv.MESSAGING_SYSTEM)
STATUS = label(semconv.DELIVERY_STATUS)
EVENT = "otel_stream_event"  # Set by agents on the counts of span events.
SIGNAL, REASON = "signal", "reason"  # Set by our recording rules on the collectors' counters.
SERVICE_TAG = "service.name"  # What InfluxDB has in place of job.
