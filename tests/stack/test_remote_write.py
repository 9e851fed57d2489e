"""Prometheus can be written to instead of scraping: the same figures, also after a pause."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from otel_stream.pipeline.answer import Unreachable
from otel_stream.pipeline.prometheus import Prometheus
from stack.made.programs import Programs
from stack.measured.load import Load
from stack.measured.payload import Payload
from stack.servers.collector import Collector
from stack.servers.prometheus import PrometheusServer
from tests.conftest import eventually
from tests.stack.counted import Counted


class Pushed:
    """An agent that pushes to a Prometheus that scrapes nobody."""

    def __init__(self, agent: Collector, prometheus: PrometheusServer) -> None:
        self.agent = agent
        self.prometheus = prometheus

    def found(self, expression: str) -> list[float]:
        """The values of an expression; none while Prometheus does not answer."""
        try:
            return [s.value for s in Prometheus(self.prometheus.url).query(expression)]
        except Unreachable:
            return []


PUSHES = {
    "TRACES": "nop",
    "TRACES_ENDPOINT": "http://127.0.0.1:1",
    "INFLUXDB": "nop",
    "REMOTE_WRITE": "prometheusremotewrite",
}


@pytest.fixture
def pushed(programs: Programs, tmp_path: Path) -> Iterator[Pushed]:
    """Both, running."""
    prometheus = PrometheusServer(
        programs.prometheus(), tmp_path / "prometheus", {"agents": [], "collectors": []}
    )
    said = PUSHES | {"REMOTE_WRITE_URL": f"{prometheus.url}/api/v1/write"}
    agent = Collector(programs.collector(), tmp_path / "agent", variables=said)
    with prometheus.process, agent.process:
        yield Pushed(agent, prometheus)


def test_figures_are_pushed(pushed: Pushed) -> None:
    """The count and each bucket arrive under the names that a scrape gives them."""
    with Counted(pushed.agent.http, "pushed") as counted:
        time.sleep(2.0)

    of = '{job="pushed", instance="pushed-1", kind="step"'
    assert eventually(lambda: pushed.found(f"counted_total{of}}}") == [counted.value], 20.0)
    assert pushed.found(f'stepped_seconds_bucket{of}, le="+Inf"}}') == [counted.value]


def test_a_prometheus_that_was_away_gets_the_figures(pushed: Pushed) -> None:
    """What is pushed while nobody takes it is pushed again."""
    pushed.prometheus.process.stop()
    with Counted(pushed.agent.http, "pushed") as counted:
        time.sleep(3.0)
    pushed.prometheus.process.start()

    asked = 'counted_total{job="pushed"}'
    assert eventually(lambda: pushed.found(asked) == [counted.value], 40.0)


def test_figures_of_a_killed_agent_are_pushed_when_it_is_back(pushed: Pushed) -> None:
    """What an agent has taken and could not push survives its end."""
    pushed.prometheus.process.stop()
    with Counted(pushed.agent.http, "pushed") as counted:
        time.sleep(3.0)
    pushed.agent.process.kill()
    pushed.prometheus.process.start()
    pushed.agent.process.start()

    asked = 'counted_total{job="pushed"}'
    assert eventually(lambda: pushed.found(asked) == [counted.value], 40.0)


def test_two_agents_do_not_write_over_each_other(
    pushed: Pushed, programs: Programs, tmp_path: Path
) -> None:
    """Figures that they make of the same service's spans are series of their own, by host."""
    said = PUSHES | {
        "REMOTE_WRITE_URL": f"{pushed.prometheus.url}/api/v1/write",
        "HOST_NAME": "another",
    }
    another = Collector(programs.collector(), tmp_path / "another", variables=said)
    with another.process, ExitStack() as held:
        loads = [
            held.enter_context(Load(agent.ports["HTTP"], lambda: Payload("both", 5), 50))
            for agent in (pushed.agent, another)
        ]
        time.sleep(3.0)
        held.close()
        sent = sorted(float(load.spans) for load in loads)
        asked = 'max_over_time(otel_stream_spans_calls_total{job="both"}[1h])'

        assert eventually(lambda: sorted(pushed.found(asked)) == sent, 60.0), pushed.found(asked)
