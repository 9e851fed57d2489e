"""A collector's account of itself: what it took, what it sent, what waits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_stream.pipeline.answer import ask, shown
from otel_stream.pipeline.exposition import samples
from otel_stream.pipeline.prometheus import Sample

__all__ = ["Account", "Collector", "account"]

# Depending on its settings a collector adds the unit and the type to the name, or not:
# otelcol_receiver_accepted_spans, …_spans_total, …_spans__spans__total.
_COUNT = re.compile(
    r"otelcol_(?:receiver|exporter)_(?P<what>accepted|refused|failed|sent|send_failed|enqueue_failed)"
    r"_(?P<item>spans|metric_points|log_records)(?:__\w+?_)?(?:_total)?"
)
_QUEUE = re.compile(r"otelcol_exporter_queue_(?P<what>size|capacity)(?:__\w+?_)?")
_SIGNALS = {"spans": "traces", "metric_points": "metrics", "log_records": "logs"}


class Account(NamedTuple):
    """Counts since the collector began. `Counter`s by (signal, receiver or exporter)."""

    accepted: Counter[tuple[str, str]]
    refused: Counter[tuple[str, str]]
    sent: Counter[tuple[str, str]]
    failed: Counter[tuple[str, str]]
    """Given up, or never let into the queue: these are lost."""
    queued: dict[str, int]
    """What waits now, by exporter."""
    capacity: dict[str, int]

    def since(self, before: Account) -> Account:
        """What came since: counts of a collector that was started anew are all new."""
        fell = any(
            now[key] < then[key]
            for now, then in zip(self[:4], before[:4], strict=True)
            for key in then
        )
        if fell:
            return self
        return Account(
            self.accepted - before.accepted,
            self.refused - before.refused,
            self.sent - before.sent,
            self.failed - before.failed,
            self.queued,
            self.capacity,
        )

    def exporters(self, signal: str) -> set[str]:
        """The exporters of a signal that have shown themselves, by a count or a queue."""
        counted = {name for kind, name in [*self.sent, *self.failed] if kind == signal}
        return counted | set(self.queued)


class Collector:
    """An agent or a gateway, asked for its own metrics.

    Args:
        name: For messages, as "the agent".
        telemetry: The URL of its metrics; without a path /metrics is meant.
        health: The URL of its health check, or empty.
    """

    def __init__(self, name: str, telemetry: str = "", health: str = "") -> None:
        self.name = name
        self.telemetry = telemetry
        self.health = health
        if telemetry and urlsplit(telemetry).path in ("", "/"):
            self.telemetry = telemetry.rstrip("/") + "/metrics"
        self.where = shown(self.telemetry or health)

    def account(self) -> Account:
        """What it says now.

        Raises:
            Unreachable: It does not answer.
        """
        return account(samples(ask(self.telemetry)))

    def check_health(self) -> None:
        """Ask whether it runs.

        Raises:
            Unreachable: It does not answer, or says that it is not well.
        """
        ask(self.health)


def account(found: Iterable[Sample]) -> Account:
    """The account that is in a collector's metrics. Names that are not known are passed over.

    So are receivers other than of OTLP: a collector that scrapes itself takes from nobody else.
    """
    made = Account(Counter(), Counter(), Counter(), Counter(), {}, {})
    counts = {
        "accepted": made.accepted, "refused": made.refused, "failed": made.refused,
        "sent": made.sent, "send_failed": made.failed, "enqueue_failed": made.failed,
    }  # fmt: skip
    for labels, value in found:
        name = labels["__name__"]
        of = labels.get("exporter") or labels.get("receiver") or ""
        inner = "receiver" in labels and of.partition("/")[0] != "otlp"
        if inner or not 0 <= value < float("inf"):
            continue
        if count := _COUNT.fullmatch(name):
            counts[count["what"]][_SIGNALS[count["item"]], of] += round(value)
        elif queue := _QUEUE.fullmatch(name):
            (made.queued if queue["what"] == "size" else made.capacity)[of] = round(value)
    return made
