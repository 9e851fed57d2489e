"""The ways from agents to gateways: with TLS and a token, and by a DNS name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stack.made.programs import Programs
from stack.measured.load import Load
from stack.measured.payload import Payload
from stack.servers.collector import Collector
from stack.servers.fleet import HASH_KEY
from tests.conftest import eventually
from tests.stack import otlp
from tests.stack.certificate import make_certificate
from tests.stack.received import AWAY

TOKEN = "of-the-fleet"


class Tiers:
    """An agent, gateways, and a collector behind them that writes down what arrives."""

    def __init__(self, programs: Programs, room: Path) -> None:
        self._programs = programs
        self._room = room
        self._held = ExitStack()
        self.sink = self.start("sink", ["agent.yaml"], AWAY)

    def gateway(self, name: str, config: str = "", **variables: str) -> Collector:
        """Start a gateway."""
        towards = {"TRACES_ENDPOINT": self.sink.http, "TRACES_INSECURE": "true", "SHARE": "1.0"}
        configs = ["gateway.yaml", *config.split()]
        return self.start(name, configs, towards | {"HASH_KEY": HASH_KEY} | variables)

    def agent(self, config: str, **variables: str) -> Collector:
        """Start an agent."""
        return self.start("agent", ["agent.yaml", config], {"INFLUXDB": "nop"} | variables)

    def close(self) -> None:
        """Stop them all."""
        self._held.close()

    def arrived(self) -> set[str]:
        """The ids of the traces that arrived."""
        found = otlp.spans(otlp.lines(otlp.files(self.sink.data, "traces")))
        return {trace_id for trace_id, _ in found}

    def start(self, name: str, configs: list[str], said: dict[str, str]) -> Collector:
        """Start a collector."""
        made = Collector(self._programs.collector(), self._room / name, configs, said, name=name)
        self._held.enter_context(made.process)
        return made


@pytest.fixture
def tiers(programs: Programs, tmp_path: Path) -> Iterator[Tiers]:
    """The last of them; tests start the others."""
    made = Tiers(programs, tmp_path)
    yield made
    made.close()


def send_some(agent: Collector) -> set[str]:
    """Some traces, sent to an agent; their ids."""
    with Load(agent.ports["HTTP"], lambda: Payload("some", 5)) as load:
        assert eventually(lambda: load.spans >= 200)
    return set(load.acknowledged)


def secured(tmp_path: Path) -> dict[str, str]:
    """What a gateway with secure.yaml needs."""
    certificate = make_certificate(tmp_path)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return {
        "TLS_CERT": str(certificate.cert),
        "TLS_KEY": str(certificate.key),
        "TOKEN_FILE": str(tmp_path / "token"),
    }


def addresses(*gateways: Collector) -> dict[str, str]:
    """Where the gateways are, for to-gateways.yaml."""
    return {
        f"GATEWAY_{number}": f"127.0.0.1:{gateway.ports['GRPC']}"
        for number, gateway in enumerate(gateways, 1)
    }


def test_agents_reach_gateways_with_tls_and_a_token(tiers: Tiers, tmp_path: Path) -> None:
    """With the authority and the token of secure.yaml all spans arrive, over both gateways."""
    needed = secured(tmp_path)
    gateways = [tiers.gateway(f"gateway-{n}", "secure.yaml", **needed) for n in (1, 2)]
    known = {"GATEWAY_CA": needed["TLS_CERT"], "GATEWAY_TOKEN": TOKEN}
    agent = tiers.agent("to-gateways.yaml", **addresses(*gateways), **known)

    sent = send_some(agent)

    assert eventually(lambda: tiers.arrived() >= sent, 20.0)


def test_a_gateway_takes_nothing_without_the_token(tiers: Tiers, tmp_path: Path) -> None:
    """With a wrong token the agent keeps what it has in its queue, and does not log the token."""
    needed = secured(tmp_path)
    gateway = tiers.gateway("gateway", "secure.yaml", **needed)
    known = {"GATEWAY_CA": needed["TLS_CERT"], "GATEWAY_TOKEN": "another-token"}
    agent = tiers.agent("to-gateways.yaml", **addresses(gateway, gateway), **known)

    send_some(agent)

    assert eventually(lambda: "nauthenticated" in agent.process.log.read_text(), 20.0)
    assert tiers.arrived() == set()
    assert "another-token" not in agent.process.log.read_text()


def test_all_spans_of_a_trace_pass_the_same_gateway(tiers: Tiers) -> None:
    """The last digits of the trace id choose; each gateway gets about half of the traces."""
    sinks = [tiers.start(f"sink-{n}", ["agent.yaml"], AWAY) for n in (1, 2)]
    agent = tiers.agent("to-gateways.yaml", GATEWAY_INSECURE="true", **addresses(*sinks))

    sent = send_some(agent)

    def halves() -> list[set[str]]:
        return [
            {key[0] for key in otlp.spans(otlp.lines(otlp.files(sink.data, "traces")))}
            for sink in sinks
        ]

    assert eventually(lambda: set.union(*halves()) == sent, 20.0)
    assert halves()[0] == {trace_id for trace_id in sent if trace_id[24] in "01234567"}


def test_gateways_are_found_by_a_name(tiers: Tiers) -> None:
    """With to-gateways-dns.yaml the agent looks the gateways up, and all spans arrive."""
    gateway = tiers.gateway("gateway")
    agent = tiers.agent(
        "to-gateways-dns.yaml",
        GATEWAY_INSECURE="true",
        GATEWAYS="localhost",
        GATEWAYS_PORT=str(gateway.ports["GRPC"]),
    )

    sent = send_some(agent)

    assert eventually(lambda: tiers.arrived() >= sent, 20.0)
