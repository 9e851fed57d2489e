"""The collectors themselves: what comes in, what goes out, what waits, what is lost."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import links, names, recording
from dashboards.board import Board, Row
from dashboards.expressions import average, selected, total
from dashboards.panels import Limits, Panel, graph, number
from dashboards.sources import Prom
from dashboards.variables import Variable, choice, chosen, source

__all__ = ["BOARD"]

HERE = chosen({"collector": names.INSTANCE})
STEP = "$__rate_interval"
ACCEPTED = selected(recording.ACCEPTED.name, HERE)
REFUSED = selected(recording.REFUSED.name, HERE)
SENT = selected(recording.SENT.name, HERE)
LOST = selected(recording.LOST.name, HERE)
LIMITED = selected(recording.LIMITED.name, HERE)
BY_RECEIVER = ("receiver", names.SIGNAL)
BY_EXPORTER = ("exporter", names.SIGNAL)
FILLED = (
    f"{selected(names.QUEUE_SIZE.series, HERE)} / {selected(names.QUEUE_CAPACITY.series, HERE)}"
)
UP = 'up{job="collectors", instance=~"$collector"}'


def _variables() -> list[Variable]:
    up = selected("up", {names.SERVICE: "collectors"})
    return [
        source(links.PROMETHEUS, "Prometheus"),
        choice("collector", "Collector", up, names.INSTANCE),
    ]


def _or_zero(expr: str, like: str, by: Sequence[str] = ()) -> str:
    """0 for what has not failed yet: collectors show such a counter only when it counts."""
    on = f" on ({', '.join(by)})" if by else ""
    return f"({expr}) or{on} 0 * ({like})"


_FIGURES = [
    number(
        "Collectors",
        "How many answer Prometheus.",
        "short",
        Prom(f"sum({UP})", instant=True),
        decimals=0,
    ),
    number(
        "Not answering",
        "How many do not. Nothing is known of them.",
        "short",
        Prom(f"count({UP}) - sum({UP})", instant=True),
        Limits(1, 1),
        decimals=0,
    ),
    number(
        "Refused",
        "Items not taken in, in the time range. Senders keep them and try again for a while.",
        "short",
        Prom(_or_zero(total(REFUSED, ()), "sum(up)"), instant=True),
        Limits(1, 1000),
        decimals=0,
    ),
    number(
        "Lost",
        "Items given up in the time range: refused by a back end for good, or without room"
        " in a queue.",
        "short",
        Prom(_or_zero(total(LOST, ()), "sum(up)"), instant=True),
        Limits(1, 1),
        decimals=0,
    ),
    number(
        "Fullest queue",
        "Of all queues to back ends, how full the fullest is. A full queue loses data.",
        "percentunit",
        Prom(f"max({FILLED})", instant=True),
        Limits(0.1, 0.5),
        decimals=1,
    ),
    number(
        "Running for",
        "How long the collector that started last has been running.",
        "s",
        Prom(f"min({selected(names.UPTIME.series, HERE)})", instant=True),
    ),
]


_WAYS = [
    graph(
        "Taken in",
        "Spans, metric points and log records a second, by receiver. prometheus/influxdb"
        " is the agent's own way to InfluxDB.",
        "short",
        Prom(average(ACCEPTED, BY_RECEIVER), "{{receiver}} {{signal}}"),
        stacked=True,
    ),
    graph(
        "Handed on",
        "The same, by exporter. Each back end gets its own copy, so these add up to more"
        " than what comes in.",
        "short",
        Prom(average(SENT, BY_EXPORTER), "{{exporter}} {{signal}}"),
        stacked=True,
    ),
    graph(
        "Refused",
        "Not taken in, a second: the memory limit, or a receiver that cannot hand on."
        " Senders try again.",
        "short",
        Prom(average(REFUSED, BY_RECEIVER), "{{receiver}} {{signal}}"),
        limits=Limits(0.1, 10),
    ),
    graph(
        "Lost",
        "Given up, a second, and why. Anything above zero is missing in that back end.",
        "short",
        Prom(
            _or_zero(
                average(LOST, (*BY_EXPORTER, names.REASON)),
                average(SENT, BY_EXPORTER),
                BY_EXPORTER,
            ),
            "{{exporter}} {{signal}} {{reason}}",
        ),
        limits=Limits(0.001, 1),
    ),
]


def _queues() -> list[Panel]:
    size, capacity = (
        selected(metric.series, HERE) for metric in (names.QUEUE_SIZE, names.QUEUE_CAPACITY)
    )
    flight = selected(names.IN_FLIGHT.series, HERE)
    return [
        graph(
            "How full queues are",
            "Share of each queue that is taken. Queues are on the disk and survive a restart.",
            "percentunit",
            Prom(
                f"max by (exporter, data_type) ({size} / {capacity})", "{{exporter}} {{data_type}}"
            ),
            limits=Limits(0.1, 0.5),
        ),
        graph(
            "Waiting in queues",
            "Items that wait for a back end. It grows while the back end is away, and"
            " shrinks when it is back.",
            "short",
            Prom(f"sum by (exporter, data_type) ({size})", "{{exporter}} {{data_type}}"),
        ),
        graph(
            "Requests under way",
            "Requests to back ends that are not answered yet.",
            "short",
            Prom(f"sum by (exporter) ({flight})", "{{exporter}}"),
        ),
    ]


def _processes() -> list[Panel]:
    cpu, memory, heap = (
        selected(metric.series, HERE) for metric in (names.CPU, names.MEMORY, names.HEAP)
    )
    return [
        graph(
            "Memory limiter",
            "Items a second that the memory limiter has sent back. Above zero the"
            " collector is short of memory.",
            "short",
            Prom(
                _or_zero(average(LIMITED, [names.INSTANCE]), average(ACCEPTED, [names.INSTANCE])),
                "{{instance}}",
            ),
            limits=Limits(0.1, 10),
        ),
        graph(
            "Processor",
            "Cores that each collector keeps busy.",
            "suffix:cores",
            Prom(f"rate({cpu}[{STEP}])", "{{instance}}"),
        ),
        graph(
            "Memory",
            "Resident memory of each process, and the part that its program has taken (heap).",
            "bytes",
            Prom(memory, "{{instance}}"),
            Prom(heap, "{{instance}} heap"),
        ),
        graph(
            "Answering",
            "1 while Prometheus can scrape it, 0 while not.",
            "short",
            Prom(UP, "{{instance}}"),
            most=1,
        ),
    ]


BOARD = Board(
    links.COLLECTORS,
    "Streams: collectors",
    "Whether the collectors take in all data and hand it on, and whether they have room.",
    _variables(),
    [
        Row("Now and in the time range", _FIGURES, 6),
        Row("What goes through", _WAYS, 2),
        Row("Queues to back ends", _queues(), 3),
        Row("Processes", _processes(), 2),
    ],
)
