"""Tokens and TLS at a real collector: what is right works, what is wrong is said, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest

import otel_stream
from otel_stream.doctor import examine
from stack.made.programs import Programs
from stack.servers.collector import Collector
from tests.stack.certificate import Certificate, make_certificate
from tests.stack.received import AWAY, endpoint, span_names

TOKEN, WRONG = "t0ken-of-ours", "wr0ng-token"
PROTOCOLS = ["http/protobuf", "grpc"]
HINTS = {
    ("http/protobuf", "wrong token"): "401 Unauthorized",
    ("grpc", "wrong token"): "UNAUTHENTICATED",
    ("http/protobuf", "plain text"): "the endpoint must say https",
    ("grpc", "plain text"): "the endpoint must say https",
    ("http/protobuf", "unknown authority"): "OTEL_EXPORTER_OTLP_CERTIFICATE",
    ("grpc", "unknown authority"): "OTEL_EXPORTER_OTLP_CERTIFICATE",
    ("http/protobuf", "no TLS there"): "the endpoint says https",
    ("grpc", "no TLS there"): "the endpoint says https",
}

pytestmark = [pytest.mark.slow_stack, pytest.mark.usefixtures("own_folder")]


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of all agents here that speak TLS."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def secured(
    programs: Programs, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """An agent that takes TLS with the right token only."""
    room = tmp_path_factory.mktemp("secured")
    (room / "token").write_text(TOKEN)
    needed = {
        "TLS_CERT": str(certificate.cert),
        "TLS_KEY": str(certificate.key),
        "TOKEN_FILE": str(room / "token"),
    }
    agent = Collector(programs.collector(), room, ["agent.yaml", "secure.yaml"], AWAY | needed)
    with agent.process:
        yield agent


@pytest.fixture(scope="module")
def plain(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """An agent that takes what comes, and no TLS."""
    agent = Collector(programs.collector(), tmp_path_factory.mktemp("plain"), variables=AWAY)
    with agent.process:
        yield agent


@pytest.fixture
def instrument() -> Iterator[Callable[[], None]]:
    """Our one line, undone with the test."""
    yield lambda: otel_stream.instrument(shutdown_timeout=1.0)
    otel_stream.uninstrument()


def send(name: str, timeout: float) -> bool:
    otel_stream.runtime.current().tracer.start_span(name).end()
    return otel_stream.flush(timeout)


def configure(
    monkeypatch: pytest.MonkeyPatch, agent: Collector, protocol: str, scheme: str, token: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint(agent, protocol, scheme))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{token}")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_right(
    secured: Collector,
    certificate: Certificate,
    instrument: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., bool],
    protocol: str,
) -> None:
    """A token over TLS works by the standard variables, whatever other programs are told."""
    configure(monkeypatch, secured, protocol, "https", TOKEN)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate.cert))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    instrument()

    assert send(f"right over {protocol}", 10.0)
    assert eventually(lambda: f"right over {protocol}" in span_names(secured))


@pytest.mark.parametrize(
    "wrong", ["wrong token", "plain text", "unknown authority", "no TLS there"]
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_wrong(
    request: pytest.FixtureRequest,
    certificate: Certificate,
    instrument: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    eventually: Callable[..., bool],
    protocol: str,
    wrong: str,
) -> None:
    """One line names the cause and what to look at. No token is shown, also not by the doctor."""
    agent = request.getfixturevalue("plain" if wrong == "no TLS there" else "secured")
    scheme = "http" if wrong == "plain text" else "https"
    configure(monkeypatch, agent, protocol, scheme, WRONG if wrong == "wrong token" else TOKEN)
    if wrong == "wrong token":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate.cert))
    instrument()
    send("a", 0.1)

    assert eventually(lambda: caplog.messages, 20.0)
    assert HINTS[protocol, wrong] in caplog.messages[0]
    assert len(caplog.messages) == 1
    shown = caplog.text + str(examine())
    assert [secret for secret in (TOKEN, WRONG) if secret in shown] == []
