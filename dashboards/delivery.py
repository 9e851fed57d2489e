"""WhatsApp and other channels: when the person really saw the answer."""

from __future__ import annotations

from dashboards import links, names, recording
from dashboards.board import Board, Row
from dashboards.colours import PERCENTILES, STATUSES
from dashboards.expressions import average, both, fraction, percentile, selected, total, weight
from dashboards.panels import Limits, Panel, graph, number
from dashboards.sources import Prom
from dashboards.variables import SERVICE, Variable, choice, chosen, source

__all__ = ["BOARD"]

CHANNEL = chosen({SERVICE: names.SERVICE, "channel": names.CHANNEL})
STEP = "$__rate_interval"
MESSAGES = selected(recording.MESSAGES.name, CHANNEL)
ACCEPTED = selected(recording.MESSAGES.name, both(CHANNEL, {names.STATUS: "accepted"}))
READ = selected(recording.MESSAGES.name, both(CHANNEL, {names.STATUS: "read"}))
FAILED = selected(recording.MESSAGES.name, both(CHANNEL, {names.STATUS: "failed"}))
TRIED = selected(recording.MESSAGES.name, both(CHANNEL, {names.STATUS: "~accepted|failed"}))
FIRST = selected(recording.FIRST_MESSAGE.name, CHANNEL)
LAST = selected(recording.LAST_MESSAGE.name, CHANNEL)
LATENCY = selected(recording.DELIVERY_LATENCY.name, CHANNEL)
WAIT = selected(recording.QUEUE_WAIT.name, CHANNEL)
TEXT = selected(recording.FIRST_TEXT.name, {names.SERVICE: "~$service"})


def _variables() -> list[Variable]:
    messages = recording.MESSAGES.name
    narrowed = selected(messages, {names.SERVICE: "~$service"})
    return [
        source(links.PROMETHEUS, "Prometheus"),
        choice(SERVICE, "Service", messages, names.SERVICE),
        choice("channel", "Channel", narrowed, names.CHANNEL),
    ]


def _figures() -> list[Panel]:
    failed = fraction(weight(FAILED, ()), weight(TRIED, ()))
    return [
        number(
            "Messages",
            "Messages that the channel accepted in the time range.",
            "short",
            Prom(total(ACCEPTED, ()), instant=True),
            decimals=0,
        ),
        number(
            "Failed",
            "Share of messages that the channel refused or could not deliver.",
            "percentunit",
            Prom(failed, instant=True),
            Limits(0.01, 0.05),
            decimals=2,
        ),
        number(
            "Read",
            "Messages read in the time range, as a share of those accepted. People may have"
            " switched read receipts off, so this is a lower bound.",
            "percentunit",
            Prom(fraction(weight(READ, ()), weight(ACCEPTED, ())), instant=True),
            decimals=0,
        ),
        number(
            "First message, p95",
            "19 of 20 people had the first message of an answer sooner, counted"
            " from the moment their own message came in.",
            "s",
            Prom(percentile(0.95, FIRST, window="$__range"), instant=True),
            Limits(10, 20),
        ),
    ]


def _two(rule: str) -> list[Prom]:
    return [Prom(percentile(0.5, rule), "p50"), Prom(percentile(0.95, rule), "p95")]


def _graphs() -> list[Panel]:
    failed = fraction(
        weight(FAILED, [names.CHANNEL], STEP), weight(TRIED, [names.CHANNEL], STEP), [names.CHANNEL]
    )
    return [
        graph(
            "Messages a minute, by status",
            "What became of messages. One message passes through several"
            " of these: accepted, sent, delivered, read.",
            "short",
            Prom(f"{average(MESSAGES, [names.STATUS])} * 60", f"{{{{{names.STATUS}}}}}"),
            colours=STATUSES,
        ),
        graph(
            "Failed messages",
            "Share of messages that the channel refused or could not deliver.",
            "percentunit",
            Prom(failed, f"{{{{{names.CHANNEL}}}}}"),
            limits=Limits(0.01, 0.05),
        ),
    ]


def _times() -> list[Panel]:
    return [
        graph(
            "To the first message",
            "From the person's message to our first one accepted: what the person waits for.",
            "s",
            *_two(FIRST),
            colours=PERCENTILES,
            limits=Limits(10, 20),
        ),
        graph(
            "To the last message",
            "From the person's message to our last one accepted: when the answer is all there.",
            "s",
            *_two(LAST),
            colours=PERCENTILES,
        ),
        graph(
            "Delivered and read, p95",
            "From accepted by the channel to delivered to the phone, and to read by the person.",
            "s",
            Prom(percentile(0.95, LATENCY, [names.STATUS]), f"{{{{{names.STATUS}}}}}"),
            colours=STATUSES,
        ),
        graph(
            "Wait in our queue",
            "How long a person's message waits here until somebody works on the answer.",
            "s",
            *_two(WAIT),
            colours=PERCENTILES,
            limits=Limits(5, 15),
        ),
    ]


def _perceived() -> list[Panel]:
    return [
        graph(
            "Perceived and generated, p50",
            "What half of the people wait for at most, beside what the models and agents of the"
            " service take for their first text: between the lines lies our own part.",
            "s",
            Prom(percentile(0.5, FIRST), "first message"),
            Prom(percentile(0.5, LAST), "last message"),
            Prom(percentile(0.5, TEXT), "first text"),
        ),
    ]


BOARD = Board(
    links.DELIVERY,
    "Streams: delivery",
    "The way of an answer to a person, over WhatsApp and other channels. Its times are not in"
    " those of streams.",
    _variables(),
    [
        Row("In the time range", _figures(), 4),
        Row("What became of messages", _graphs(), 2),
        Row("How long it took", _times(), 2),
        Row("What people live through, and what models take", _perceived(), 1),
    ],
    hours=6,
)
