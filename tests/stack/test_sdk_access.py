"""Tokens and TLS at a real collector: what is right works, what is wrong is said, and no more."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest

import otel_stream
from otel_stream.doctor import examine

from .sdk_agent import NEEDED, Agent

TOKEN, WRONG = "t0ken-of-ours", "wr0ng-token"
PROTOCOLS = ["http/protobuf", "grpc"]
OPENSSL = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
)
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

pytestmark = [NEEDED, pytest.mark.usefixtures("own_folder")]


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for loopback, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [*OPENSSL.split(), "-out", str(files[0]), "-keyout", str(files[1])],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Starts an agent."""
    started: list[Agent] = []

    def start(**options: object) -> Agent:
        started.append(Agent(tmp_path, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for agent in started:
        agent.kill()


@pytest.fixture
def instrument() -> Iterator[Callable[[], None]]:
    """Our one line, undone with the test."""
    yield lambda: otel_stream.instrument(shutdown_timeout=1.0)
    otel_stream.uninstrument()


def send(name: str, timeout: float) -> bool:
    otel_stream.runtime.current().tracer.start_span(name).end()
    return otel_stream.flush(timeout)


def configure(monkeypatch: pytest.MonkeyPatch, agent: Agent, protocol: str, wrong: str) -> None:
    scheme = {"plain text": "http", "no TLS there": "https"}.get(wrong, "")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", agent.url(protocol, scheme))
    token = WRONG if wrong == "wrong token" else TOKEN
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{token}")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_right(
    start: Callable[..., Agent],
    certificate: tuple[Path, Path],
    instrument: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., bool],
    protocol: str,
) -> None:
    """A token over TLS works by the standard variables, whatever other programs are told."""
    agent = start(token=TOKEN, certificate=certificate)
    configure(monkeypatch, agent, protocol, "")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate[0]))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    instrument()

    assert send("a", 10.0)
    assert eventually(lambda: agent.spans == ["a"])


@pytest.mark.parametrize(
    "wrong", ["wrong token", "plain text", "unknown authority", "no TLS there"]
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_wrong(
    start: Callable[..., Agent],
    certificate: tuple[Path, Path],
    instrument: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    eventually: Callable[..., bool],
    protocol: str,
    wrong: str,
) -> None:
    """One line names the cause and what to look at. No token is shown, also not by the doctor."""
    tls = wrong in ("plain text", "unknown authority")
    agent = start(token=TOKEN, certificate=certificate if tls else None)
    configure(monkeypatch, agent, protocol, wrong)
    instrument()
    send("a", 0.1)

    assert eventually(lambda: caplog.messages, 20.0)
    assert HINTS[protocol, wrong] in caplog.messages[0]
    assert len(caplog.messages) == 1
    shown = caplog.text + str(examine())
    assert [secret for secret in (TOKEN, WRONG) if secret in shown] == []
