"""What was acknowledged arrives, whoever is killed or stopped in the meantime."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_stream.pipeline.influxdb import InfluxDB
from otel_stream.pipeline.jaeger import Jaeger
from otel_stream.pipeline.prometheus import Prometheus
from stack.made.programs import Programs
from stack.measured.load import Load
from stack.measured.payload import Payload
from stack.servers.fleet import Fleet
from stack.servers.process import Process
from stack.servers.running import DATABASE, Stack
from tests.stack.arrived import in_jaeger, in_json, missing
from tests.stack.counted import Counted

pytestmark = [pytest.mark.slow_stack, pytest.mark.timeout(400)]

RATE = 1000.0
KILLS = 10
SHARE = 0.3


@pytest.fixture
def stack(programs: Programs, tmp_path: Path) -> Iterator[Stack]:
    """An agent with all its back ends, to be killed."""
    with Stack(tmp_path, programs, every=1.0) as running:
        yield running


@pytest.fixture
def fleet(programs: Programs, tmp_path: Path) -> Iterator[Fleet]:
    """An agent, two gateways and Jaeger, to be killed."""
    with Fleet(tmp_path, programs, {"SHARE": f"{SHARE}", "DECISION_WAIT": "3s"}) as running:
        yield running


def kill_often(process: Process, seed: int, load: Load) -> None:
    """Kill a server and start it again at random moments, with the load going on between."""
    moments = random.Random(seed)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.2, 3.0))
        process.kill()
        time.sleep(moments.uniform(0.0, 1.0))
        process.start()
        had = load.spans
        until = time.monotonic() + 30.0
        while load.spans == had and time.monotonic() < until:
            time.sleep(0.01)


def acknowledged(load: Load) -> set[str]:
    """The ids of all spans that were acknowledged."""
    return set().union(*load.acknowledged.values())


def test_an_agent_that_is_killed_loses_nothing_that_it_acknowledged(stack: Stack) -> None:
    """Killed ten times under load, the agent brings every acknowledged span on."""
    with Load(stack.agent.ports["HTTP"], lambda: Payload("killed", 50), RATE) as load:
        kill_often(stack.agent.process, 7, load)
    jaeger = Jaeger(stack.jaeger.url)
    expected = acknowledged(load)

    assert len(expected) > 5 * RATE
    assert missing(lambda: in_jaeger(jaeger, load.acknowledged), expected) == set()
    assert missing(lambda: in_json(stack.agent, load.acknowledged), expected) == set()


def test_spans_that_were_sent_again_are_the_only_doubles(stack: Stack) -> None:
    """A span is there twice only if the request that brought it had to be sent again."""
    with Load(stack.agent.ports["HTTP"], lambda: Payload("doubled", 50), RATE) as load:
        kill_often(stack.agent.process, 8, load)
    jaeger = Jaeger(stack.jaeger.url)
    missing(lambda: in_jaeger(jaeger, load.acknowledged), acknowledged(load))
    again = set().union(*(load.acknowledged.get(each, set()) for each in load.repeated))

    doubles = {
        span_id
        for found in (in_jaeger(jaeger, load.acknowledged), in_json(stack.agent, load.acknowledged))
        for span_id, times in found.items()
        if times > 1
    }

    assert doubles <= again


def test_a_back_end_that_is_away_for_a_while_misses_nothing(stack: Stack) -> None:
    """Each back end is stopped in turn, and in the end has all spans and the full count."""
    with (
        Load(stack.agent.ports["HTTP"], lambda: Payload("away", 50), RATE / 2) as load,
        Counted(stack.agent.http, "away") as counted,
    ):
        for server in (stack.jaeger, stack.influxdb, stack.prometheus):
            time.sleep(2.0)
            server.process.stop()
            time.sleep(5.0)
            server.process.start()
        time.sleep(2.0)
    jaeger = Jaeger(stack.jaeger.url)

    assert missing(lambda: in_jaeger(jaeger, load.acknowledged), acknowledged(load)) == set()
    assert in_json(stack.agent, load.acknowledged).keys() == acknowledged(load)
    assert counts(stack, float(counted.value)) == {
        "prometheus": counted.value,
        "prometheus, le=0.0 to +Inf": counted.value,
        "influxdb": counted.value,
        "influxdb, le=+Inf": counted.value,
    }


def test_one_dead_back_end_does_not_hold_up_another(stack: Stack) -> None:
    """While InfluxDB and Prometheus are away, spans go on to Jaeger."""
    stack.influxdb.process.kill()
    stack.prometheus.process.kill()
    with Load(stack.agent.ports["HTTP"], lambda: Payload("held", 50), RATE) as load:
        time.sleep(5.0)
    jaeger = Jaeger(stack.jaeger.url)

    assert missing(lambda: in_jaeger(jaeger, load.acknowledged), acknowledged(load), 20.0) == set()


def test_a_gateway_that_is_killed_loses_nothing_that_is_kept(fleet: Fleet) -> None:
    """One of two gateways is killed ten times; Jaeger has every span of the share, and no other."""
    with Load(fleet.agent.ports["HTTP"], lambda: Payload("gateway", 20), RATE / 2) as load:
        kill_often(fleet.gateways[1].process, 9, load)
    jaeger = Jaeger(fleet.jaeger.url)
    kept = {each for each in load.acknowledged if int(each[18:], 16) / 2**56 < SHARE}
    expected = set().union(*(load.acknowledged[each] for each in kept))

    assert missing(lambda: in_jaeger(jaeger, kept), expected) == set()
    assert not in_jaeger(jaeger, load.acknowledged.keys() - kept)
    assert in_json(fleet.agent, load.acknowledged).keys() == acknowledged(load)


def test_an_agent_of_a_fleet_that_is_killed_loses_nothing_that_is_kept(fleet: Fleet) -> None:
    """The same holds when it is the agent that is killed, with its two queues."""
    with Load(fleet.agent.ports["HTTP"], lambda: Payload("fleet", 20), RATE / 2) as load:
        kill_often(fleet.agent.process, 10, load)
    jaeger = Jaeger(fleet.jaeger.url)
    kept = {each for each in load.acknowledged if int(each[18:], 16) / 2**56 < SHARE}
    expected = set().union(*(load.acknowledged[each] for each in kept))

    assert missing(lambda: in_jaeger(jaeger, kept), expected) == set()


def counts(stack: Stack, expected: float) -> dict[str, float]:
    """The counter and the histogram's buckets in both stores of figures, once they are complete."""
    prometheus = Prometheus(stack.prometheus.url)
    influxdb = InfluxDB(stack.influxdb.url, DATABASE)
    where = "FROM prometheus WHERE \"service.name\" = 'away'"
    asked = {
        "prometheus": lambda: prometheus.query('sum(counted_total{job="away"})')[0].value,
        "prometheus, le=0.0 to +Inf": lambda: (
            prometheus.query('max(stepped_seconds_bucket{job="away"})')[0].value
        ),
        "influxdb": lambda: influxdb.query(f"SELECT sum(counted_total) {where}")[0]["sum"],
        "influxdb, le=+Inf": lambda: influxdb.query(
            f"SELECT sum(stepped_seconds_bucket) {where} AND le = '+Inf'"
        )[0]["sum"],
    }
    until = time.monotonic() + 30.0
    while True:
        found = {name: ask() for name, ask in asked.items()}
        if set(found.values()) == {expected} or time.monotonic() > until:
            return found
        time.sleep(0.5)
