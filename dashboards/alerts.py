"""The alerts. Each has a section in docs/runbooks.md.

Each of them waits longer than the five minutes over which the rules look, and those on shares and
percentiles ask for some traffic first: a single slow or broken stream is not a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboards import names, recording
from dashboards.expressions import Matchers, average, selected, weight
from dashboards.recording import Rule

__all__ = ["ALERTS", "Alert"]


@dataclass(frozen=True)
class Alert:
    """One alert.

    Args:
        name: Also the heading of its runbook.
        expr: It fires for what this returns,
        wait: if it does so for this long.
        summary: One line, what and where.
        description: The figures, for people.
    """

    name: str
    severity: Literal["warning", "critical"]
    expr: str
    wait: str
    summary: str
    description: str


WINDOW = "15m"
MODEL = (names.SERVICE, names.PROVIDER, names.MODEL)
CHANNEL = (names.SERVICE, names.CHANNEL)
TRIED = {names.STATUS: "~accepted|failed"}


def _of(label: str) -> str:
    return f"{{{{ $labels.{label} }}}}"


OF_SERVICE = _of(names.SERVICE)
OF_MODEL = f"{_of(names.MODEL)} ({_of(names.PROVIDER)}) in {OF_SERVICE}"
OF_CHANNEL = f"{_of(names.CHANNEL)} in {OF_SERVICE}"
OF_COLLECTOR = _of(names.INSTANCE)
FIGURE = "{{ $value | humanize }}"
PERCENT = "{{ $value | humanizePercentage }}"
DURATION = "{{ $value | humanizeDuration }}"


def _at_least(count: int, rule: Rule, by: Sequence[str], **matchers: str) -> str:
    """So many in fifteen minutes."""
    a_second = average(selected(rule.name, matchers), by, WINDOW)
    return f"and on ({', '.join(by)}) {a_second} * 900 >= {count}"


def _share(rule: Rule, by: Sequence[str], part: Matchers, whole: Matchers | None = None) -> str:
    """The share of what fits `part` in what fits `whole`."""
    counted = weight(selected(rule.name, part), by, WINDOW)
    return f"{counted}\n/ {weight(selected(rule.name, whole), by, WINDOW)}"


def _broken(outcome: str) -> str:
    return _share(recording.STREAMS, MODEL, {names.OUTCOME: outcome})


def _stalls(window: str, offset: str = "") -> str:
    """Stalls in 100 streams."""
    stalls = weight(recording.STALLS.name, MODEL, window, offset)
    return f"100 * {stalls}\n/ {weight(recording.STREAMS.name, MODEL, window, offset)}"


_FIRST_TOKEN = Alert(
    "FirstTokenSlow",
    "warning",
    f"histogram_quantile(0.95, {weight(recording.FIRST_TOKEN.name, (*MODEL, 'le'), WINDOW)}) > 5\n"
    + _at_least(20, recording.FIRST_TOKEN, MODEL, le="+Inf"),
    "10m",
    f"Slow first tokens of {OF_MODEL}",
    f"One stream in twenty has waited longer than {DURATION} for its first token, over 15 minutes.",
)
_STALLS = Alert(
    "StallsRising",
    "warning",
    f"{_stalls(WINDOW)} > 10\n"
    f"unless on ({', '.join(MODEL)}) {_stalls(WINDOW)} <= 2 * ({_stalls('3h', WINDOW)})\n"
    + _at_least(20, recording.STREAMS, MODEL),
    "10m",
    f"More stalls in streams of {OF_MODEL}",
    f"{FIGURE} stalls in 100 streams over 15 minutes, more than twice as many as in the three hours"
    " before.",
)
_ERRORS = Alert(
    "StreamErrorsHigh",
    "warning",
    f"{_broken('error')} > 0.05\n" + _at_least(20, recording.STREAMS, MODEL),
    "10m",
    f"Streams of {OF_MODEL} fail",
    f"{PERCENT} of the streams have ended in an error, over 15 minutes.",
)
_TRUNCATED = Alert(
    "StreamsTruncated",
    "warning",
    f"{_broken('truncated')} > 0.02\n" + _at_least(20, recording.STREAMS, MODEL),
    "10m",
    f"Streams of {OF_MODEL} are cut off",
    f"{PERCENT} of the streams have ended without the provider's last word, over 15 minutes.",
)
_BROKEN = Alert(
    "MostStreamsBroken",
    "critical",
    f"{_broken('~error|truncated')} > 0.5\n" + _at_least(10, recording.STREAMS, MODEL),
    "6m",
    f"Most streams of {OF_MODEL} are broken",
    f"{PERCENT} of the streams have failed or have been cut off, over 15 minutes.",
)
_NONE = Alert(
    "NoStreams",
    "critical",
    f"max_over_time({recording.STEADY.name}[6h] offset 20m) >= 0.9\n"
    f"unless on ({names.SERVICE})"
    f" sum by ({names.SERVICE}) (max_over_time({recording.STREAMS.name}[15m])) > 0\n"
    f"unless on ({names.SERVICE})"
    f" sum by ({names.SERVICE}) (max_over_time({recording.STREAMS.name}[1h] offset 23h30m)) == 0",
    "6m",
    f"No streams from {OF_SERVICE}",
    "For 20 minutes no stream has ended."
    f" Before that there were streams in {PERCENT} of six hours.",
)
_COST = Alert(
    "CostPerHourHigh",
    "warning",
    f"sum by ({names.SERVICE}) ({recording.COST.name}) * 3600 > 20",
    "15m",
    f"{OF_SERVICE} costs more than usual",
    f"{FIGURE} US dollars an hour for 15 minutes. Set the limit to what is usual for you.",
)
_DELIVERY = Alert(
    "DeliveryFailing",
    "critical",
    f"{_share(recording.MESSAGES, CHANNEL, {names.STATUS: 'failed'}, TRIED)} > 0.05\n"
    + _at_least(10, recording.MESSAGES, CHANNEL, **TRIED),
    "10m",
    f"Messages over {OF_CHANNEL} fail",
    f"{PERCENT} of the messages have not been delivered, over 15 minutes.",
)

_FIRST_MESSAGE = Alert(
    "FirstMessageSlow",
    "warning",
    "histogram_quantile(0.95,"
    f" {weight(recording.FIRST_MESSAGE.name, (*CHANNEL, 'le'), WINDOW)}) > 30\n"
    + _at_least(10, recording.FIRST_MESSAGE, CHANNEL, le="+Inf"),
    "10m",
    f"People wait for answers over {OF_CHANNEL}",
    f"One person in twenty has waited longer than {DURATION} for the first message of an answer,"
    " over 15 minutes.",
)

_QUEUE = f"{names.QUEUE_SIZE.series} / {names.QUEUE_CAPACITY.series}"
_FILLING = Alert(
    "CollectorQueueFilling",
    "warning",
    f"{_QUEUE} > 0.5\n"
    f"or ({_QUEUE} > 0.1\n"
    f"  and predict_linear({names.QUEUE_SIZE.series}[30m], 4 * 3600)"
    f" > {names.QUEUE_CAPACITY.series})",
    "10m",
    f"The queue to {_of('exporter')} on {OF_COLLECTOR} is filling",
    f"It is {PERCENT} full: above half, or it will be full within four hours. When it is full,"
    " data is lost.",
)
_REFUSED = Alert(
    "CollectorRefusesData",
    "warning",
    f"sum by ({names.INSTANCE}, receiver, {names.SIGNAL}) ({recording.REFUSED.name}) * 300 > 0",
    "10m",
    f"{OF_COLLECTOR} refuses {_of(names.SIGNAL)}",
    f"{FIGURE} items in five minutes have come to {_of('receiver')} and were not taken. Senders try"
    " again for a while, then they drop.",
)
_LOST = Alert(
    "CollectorDropsData",
    "critical",
    f"max_over_time({recording.LOST.name}[10m]) * 300 > 0",
    "0m",
    f"{OF_COLLECTOR} loses {_of(names.SIGNAL)} for {_of('exporter')}",
    f"{FIGURE} items in five minutes did not go on ({_of(names.REASON)}). What was not sent"
    " is lost; what found a full queue went back to its sender.",
)
_DOWN = Alert(
    "CollectorDown",
    "critical",
    'up{job=~"agents|collectors"} == 0',
    "2m",
    f"{OF_COLLECTOR} does not answer",
    "Prometheus cannot scrape it ({{ $labels.job }}). Services that send there keep their data only"
    " for a short time.",
)

ALERTS = (
    _FIRST_TOKEN, _STALLS, _ERRORS, _TRUNCATED, _BROKEN, _NONE, _COST, _DELIVERY, _FIRST_MESSAGE,
    _FILLING, _REFUSED, _LOST, _DOWN,
)  # fmt: skip
