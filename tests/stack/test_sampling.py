"""A gateway keeps what matters, a share of the rest, and says what each span stands for."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from stack.made.programs import Programs
from stack.servers.collector import Collector
from stack.servers.fleet import HASH_KEY
from tests.stack import otlp
from tests.stack.received import AWAY

SHARE = 0.25
COUNT = "otel_stream.sampling.adjusted_count"
MATTER = {
    "not completed": {"otel_stream.outcome": "closed_early"},
    "slow first token": {
        "otel_stream.outcome": "completed",
        "otel_stream.time_to_first_token": 5.1,
    },
    "stalled": {"otel_stream.outcome": "completed", "otel_stream.stall.count": 1},
    "dear": {"otel_stream.outcome": "completed", "otel_stream.cost.total": 0.51},
}
ORDINARY = {
    "otel_stream.outcome": "completed",
    "otel_stream.time_to_first_token": 0.5,
    "otel_stream.stall.count": 0,
    "otel_stream.cost.total": 0.01,
}


class Gateway:
    """A gateway, and an agent behind it that writes down what leaves."""

    def __init__(self, collector: Collector, sink: Collector) -> None:
        self.collector = collector
        self.sink = sink

    def send(self, *spans: dict[str, Any]) -> None:
        """Send spans in one request."""
        body = {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}
        request = Request(
            f"{self.collector.http}/v1/traces",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urlopen(request, timeout=10.0).close()

    def left(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The attributes of all spans that have left so far."""
        found = otlp.spans(otlp.lines(otlp.files(self.sink.data, "traces")))
        return {key: span["attributes"] for key, span in found.items()}

    def kept(self, *spans: dict[str, Any], timeout: float = 15.0) -> list[float | None]:
        """For each span what it stands for, None if it was not kept.

        A span with an error is sent after them; when it has left, and the time of a decision has
        passed, they would have too.
        """
        last = a_span({}, status={"code": 2})
        until = time.monotonic() + timeout
        self.send(last)
        while key_of(last) not in self.left() and time.monotonic() < until:
            time.sleep(0.05)
        found = self.left()
        return [found.get(key_of(span), {}).get(COUNT) for span in spans]


@pytest.fixture(scope="module")
def gateway(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that decides after a second."""
    room = tmp_path_factory.mktemp("sampling")
    sink = Collector(programs.collector(), room / "sink", variables=AWAY, name="sink")
    said = {
        "HASH_KEY": HASH_KEY,
        "TRACES_ENDPOINT": sink.http,
        "TRACES_INSECURE": "true",
        "SHARE": f"{SHARE}",
        "DECISION_WAIT": "1s",
    }
    collector = Collector(programs.collector(), room / "gate", ["gateway.yaml"], said, name="gate")
    with sink.process, collector.process:
        yield Gateway(collector, sink)


def a_span(attributes: dict[str, Any], trace_id: str | None = None, **parts: Any) -> dict[str, Any]:
    """A span; without a trace id in a trace that is in no share."""
    now = time.time_ns()
    kinds = {str: "stringValue", float: "doubleValue", int: "intValue"}
    return {
        "traceId": trace_id or os.urandom(9).hex() + "ff" + os.urandom(6).hex(),
        "spanId": os.urandom(8).hex(),
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(now - 10**9),
        "endTimeUnixNano": str(now),
        "attributes": [
            {"key": key, "value": {kinds[type(value)]: value}} for key, value in attributes.items()
        ],
    } | parts


def key_of(span: dict[str, Any]) -> tuple[str, str]:
    """What tells it from others."""
    return span["traceId"], span["spanId"]


@pytest.mark.parametrize("why", MATTER)
def test_a_stream_that_matters_is_kept(gateway: Gateway, why: str) -> None:
    """It is kept for certain, so it stands for itself."""
    span = a_span(ORDINARY | MATTER[why])
    gateway.send(span)

    assert gateway.kept(span) == [1.0]


def test_an_error_is_kept_whatever_its_span_is(gateway: Gateway) -> None:
    """A span with an error status need not be a stream's."""
    span = a_span({}, status={"code": 2})
    gateway.send(span)

    assert gateway.kept(span) == [1.0]


def test_an_ordinary_trace_is_kept_if_it_is_in_the_share(gateway: Gateway) -> None:
    """The random half of its trace id decides: just below the share it is kept, at it it is not."""
    edge = int(SHARE * 2**56)
    spans = [
        a_span(ORDINARY, os.urandom(9).hex() + f"{number:014x}") for number in (0, edge - 16, edge)
    ]
    gateway.send(*spans)

    assert gateway.kept(*spans) == [4.0, 4.0, None]


def test_the_other_spans_of_a_kept_trace_are_kept_for_company(gateway: Gateway) -> None:
    """They stand for nothing, and come once the trace is decided; also those that come later."""
    bad = a_span(ORDINARY | {"otel_stream.outcome": "truncated"})
    parent, late = a_span({}, bad["traceId"]), a_span({}, bad["traceId"])
    gateway.send(parent, bad)
    until = time.monotonic() + 15.0
    while key_of(parent) not in gateway.left() and time.monotonic() < until:
        time.sleep(0.05)
    gateway.send(late)
    while key_of(late) not in gateway.left() and time.monotonic() < until:
        time.sleep(0.05)

    assert gateway.kept(bad, parent, late) == [1.0, 0.0, 0.0]


def test_the_weights_add_up_to_what_was_sent(gateway: Gateway) -> None:
    """The sum of what the kept streams stand for estimates all that were sent, by outcome too."""
    bad = [
        a_span(ORDINARY | {"otel_stream.outcome": "error"}, os.urandom(16).hex())
        for _ in range(300)
    ]
    fine = [a_span(ORDINARY, os.urandom(16).hex()) for _ in range(3000)]
    gateway.send(*bad, *fine)

    kept = gateway.kept(*bad, *fine)

    assert sum(weight or 0.0 for weight in kept[:300]) == 300
    # Six standard deviations of a binomial draw.
    assert abs(sum(weight or 0.0 for weight in kept[300:]) - 3000) < 6 * (3000 * 3) ** 0.5


def test_an_application_cannot_say_what_its_span_stands_for(gateway: Gateway) -> None:
    """The gateway's own word replaces what a span brings."""
    span = a_span(ORDINARY | {COUNT: 1000.0})
    gateway.send(span)

    assert gateway.kept(span) == [None]


def test_a_kept_span_says_the_share(gateway: Gateway) -> None:
    """The share of the rest is on record on each span."""
    span = a_span({}, status={"code": 2})
    gateway.send(span)
    gateway.kept(span)

    assert gateway.left()[key_of(span)]["otel_stream.sampling.share"] == SHARE
