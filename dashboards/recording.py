"""The recording rules: one for each figure, rates over five minutes, summed over the processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards import expressions, names
from dashboards.names import Metric
from otel_stream import semconv

__all__ = ["COLLECTOR_RULES", "PRESENT", "RULES", "Rule"]


@dataclass(frozen=True)
class Rule:
    """One recording rule.

    Args:
        name: What it is recorded as.
        expr: What is recorded.
        about: What it says, for the table in the documentation.
        labels: By what.
    """

    name: str
    expr: str
    about: str
    labels: tuple[str, ...]


CALL = (names.SERVICE, names.PROVIDER, names.MODEL)
LE = "le"


def _named(what: str) -> str:
    return f"otel_stream:{what}:rate5m"


def _rate(
    what: str,
    about: str,
    metrics: Sequence[Metric],
    more: Sequence[str] = (),
    spans: str | None = None,
    labels: Sequence[str] = CALL,
) -> Rule:
    """A rule over the metrics that hold one figure, with spans to fall back on."""
    histogram = metrics[0].kind == "histogram"
    by = (*labels, *more, *((LE,) if histogram else ()))
    expr = expressions.counted([metric.series for metric in metrics], by)
    if spans is not None:
        made = expressions.counted([spans], by)
        expr = expressions.joined(expr, made, PRESENT.name, names.SERVICE)
    return Rule(_named(f"{what}_bucket" if histogram else what), expr, about, by)


def _marked(expr: str, name: str, value: str) -> str:
    """The same series with one more label."""
    return f'label_replace({expr}, "{name}", "{value}", "", "")'


def _seen(metric: Metric) -> str:
    return f"present_over_time({metric.series}[15m])"


def _tokens() -> Rule:
    """The released convention has one metric for both directions, the latest has two."""
    by = (*CALL, names.TOKEN_TYPE)
    parts = [expressions.rate(names.TOKENS.sum)]
    for metric, direction in ((names.INPUT_TOKENS, "input"), (names.OUTPUT_TOKENS, "output")):
        parts.append(_marked(expressions.rate(metric.sum), names.TOKEN_TYPE, direction))
    about = "tokens used a second; not known from spans"
    return Rule(_named("tokens"), expressions.united(parts, by), about, by)


PRESENT = Rule(
    "otel_stream:sdk:present",
    f"max by ({names.SERVICE}) ({_seen(names.STREAMS)} or {_seen(names.ACTIVE)})",
    "1 for a service that has sent metrics of its own within 15 minutes: its spans count nothing",
    (names.SERVICE,),
)
CLOCK = Rule(
    expressions.CLOCK,
    "vector(1)",
    "1 at each evaluation, so that averages count the times at which a series was not there",
    (),
)
STREAMS = _rate(
    "streams", "streams ended a second", [names.STREAMS], [names.OUTCOME],
    names.SPAN_CALLS.series,
)  # fmt: skip
STEADY = Rule(
    "otel_stream:streams:steady6h",
    f"clamp_max(count_over_time((sum by ({names.SERVICE}) ({STREAMS.name}) > 0)[6h:1m]) / 360, 1)",
    "in what share of the last six hours there were streams",
    (names.SERVICE,),
)
STALLS = _rate(
    "stalls", "stalls a second", [names.STALLS],
    spans=expressions.selected(names.SPAN_EVENTS.series, {names.EVENT: semconv.EVENT_STALL}),
)  # fmt: skip
FIRST_TOKEN = _rate(
    "time_to_first_token_seconds", "buckets of the time to the first token", [names.FIRST_TOKEN],
    spans=names.SPAN_FIRST_TOKEN.series,
)  # fmt: skip
FIRST_TEXT = _rate(
    "time_to_first_text_seconds", "buckets of the time to the first text; not known from spans",
    [names.FIRST_TEXT],
)  # fmt: skip
DURATION = _rate(
    "duration_seconds", "buckets of the duration of calls; from spans only that of streams",
    names.DURATION, spans=names.SPAN_DURATION.series,
)  # fmt: skip
CHUNK_WAIT = _rate(
    "time_per_output_chunk_seconds",
    "buckets of the provider's wait for each chunk after the first; not known from spans",
    names.CHUNK_WAIT,
)
SPEED = _rate(
    "output_tokens_per_second", "buckets of the output speed of streams; not known from spans",
    [names.SPEED],
)  # fmt: skip
TOKENS = _tokens()
COST = _rate("cost_usd", "US dollars a second", [names.COST], [names.USAGE_SOURCE])
DROPPED = _rate(
    "events_dropped", "events a second that found no room", [names.DROPPED], [names.DROP_REASON],
    labels=(names.SERVICE,),
)  # fmt: skip

CHANNEL = (names.SERVICE, names.CHANNEL)
MESSAGES = _rate(
    "delivery_messages", "messages a second", [names.MESSAGES], [names.STATUS], labels=CHANNEL
)
FIRST_MESSAGE = _rate(
    "delivery_time_to_first_message_seconds",
    "buckets of the time from the person's message to our first one accepted",
    [names.FIRST_MESSAGE],
    labels=CHANNEL,
)
LAST_MESSAGE = _rate(
    "delivery_time_to_last_message_seconds",
    "buckets of the time from the person's message to our last one accepted",
    [names.LAST_MESSAGE],
    labels=CHANNEL,
)
DELIVERY_LATENCY = _rate(
    "delivery_latency_seconds", "buckets of the time from accepted to delivered or read",
    [names.DELIVERY_LATENCY], [names.STATUS], labels=CHANNEL,
)  # fmt: skip
QUEUE_WAIT = _rate(
    "delivery_queue_wait_seconds", "buckets of the wait in the queue before a message goes out",
    [names.QUEUE_WAIT], labels=CHANNEL,
)  # fmt: skip

RULES = (
    CLOCK, PRESENT, STREAMS, STEADY, STALLS, FIRST_TOKEN, FIRST_TEXT, DURATION, CHUNK_WAIT, SPEED,
    TOKENS, COST, DROPPED, MESSAGES, FIRST_MESSAGE, LAST_MESSAGE, DELIVERY_LATENCY, QUEUE_WAIT,
)  # fmt: skip


def _collected(
    what: str, about: str, families: Mapping[str, Mapping[str, Metric]], labels: Sequence[str]
) -> Rule:
    """A rule over what collectors count for each signal in a metric of its own, by the reason."""
    parts = []
    for reason, family in families.items():
        for signal, metric in family.items():
            part = _marked(expressions.rate(metric.series), names.SIGNAL, signal)
            parts.append(_marked(part, names.REASON, reason) if reason else part)
    by = (*labels, names.SIGNAL, *((names.REASON,) if all(families) else ()))
    return Rule(f"otel_stream:collector_{what}:rate5m", expressions.united(parts, by), about, by)


RECEIVER = (names.INSTANCE, "receiver")
EXPORTER = (names.INSTANCE, "exporter")
ACCEPTED = _collected("accepted", "items a second taken in", {"": names.ACCEPTED}, RECEIVER)
REFUSED = _collected(
    "refused", "items a second not taken in, which the sender keeps and tries again",
    {"": names.REFUSED}, RECEIVER,
)  # fmt: skip
SENT = _collected("sent", "items a second handed on", {"": names.SENT}, EXPORTER)
LOST = _collected(
    "lost", "items a second given up: refused by the back end for good, or no room in the queue",
    {"not sent": names.SEND_FAILED, "queue full": names.ENQUEUE_FAILED}, EXPORTER,
)  # fmt: skip
LIMITED = _collected(
    "limited", "items a second that the memory limiter has sent back",
    {"": names.LIMITER_REFUSED}, (names.INSTANCE,),
)  # fmt: skip

COLLECTOR_RULES = (ACCEPTED, REFUSED, SENT, LOST, LIMITED)
