"""What is wrong is refused, logged once, and disturbs nothing else."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from stack.made.programs import Programs
from stack.measured.payload import Payload
from stack.servers.collector import Collector
from tests.conftest import eventually
from tests.stack import otlp
from tests.stack.certificate import Certificate, make_certificate
from tests.stack.received import AWAY

TOKEN = "the-right-token"

PROTOBUF = {"Content-Type": "application/x-protobuf"}
LARGEST = 20 * 1024 * 1024


class Secured(NamedTuple):
    """An agent with TLS and a token."""

    agent: Collector
    certificate: Certificate


@pytest.fixture(scope="module")
def agent(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """An agent that writes JSON lines."""
    made = Collector(programs.collector(), tmp_path_factory.mktemp("agent"), variables=AWAY)
    with made.process:
        yield made


@pytest.fixture(scope="module")
def secured(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """An agent that takes TLS with the right token only."""
    room = tmp_path_factory.mktemp("secured")
    certificate = make_certificate(room)
    (room / "token").write_text(TOKEN)
    said = AWAY | {
        "TLS_CERT": str(certificate.cert),
        "TLS_KEY": str(certificate.key),
        "TOKEN_FILE": str(room / "token"),
    }
    made = Collector(programs.collector(), room / "agent", ["agent.yaml", "secure.yaml"], said)
    with made.process:
        yield Secured(made, certificate)


def post(
    agent: Collector,
    body: bytes,
    headers: dict[str, str] | None = None,
    context: ssl.SSLContext | None = None,
) -> int:
    """The status that a request with these bytes gets."""
    port = agent.ports["HTTP"]
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        if context
        else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    )
    try:
        connection.request("POST", "/v1/traces", body, PROTOBUF | (headers or {}))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def works(agent: Collector, **how: object) -> bool:
    """Whether a good request is taken, and arrives in the file."""
    request = Payload("good", 3).next()
    status = post(agent, request.body, **how)  # type: ignore[arg-type]
    written = otlp.spans(otlp.lines(otlp.files(agent.data, "traces")))
    return status == 200 and {(request.trace_id, each) for each in request.span_ids} <= set(written)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"\xff" * 1000, {}, 400),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"[[[[" * 100_000, {"Content-Type": "application/json"}, 400),
        (b"hello", {"Content-Type": "text/plain"}, 415),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (b"hello", {"Content-Encoding": "imaginary"}, 400),
    ],
    ids=["no protobuf", "half JSON", "deep JSON", "text", "no gzip", "unknown encoding"],
)
def test_garbage_is_refused(
    agent: Collector, body: bytes, headers: dict[str, str], expected: int
) -> None:
    """What is no OTLP gets a 4xx, which no sender repeats; what is good still goes."""
    assert post(agent, body, headers) == expected
    assert works(agent)


def test_half_a_request_is_not_taken(agent: Collector) -> None:
    """A request that breaks off in the middle leaves nothing behind."""
    request = Payload("half", 100).next()
    with socket.create_connection(("127.0.0.1", agent.ports["HTTP"])) as connection:
        head = (
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            f"Content-Length: {len(request.body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + request.body[: len(request.body) // 2])

    assert works(agent)
    assert request.trace_id not in {
        trace_id for trace_id, _ in otlp.spans(otlp.lines(otlp.files(agent.data, "traces")))
    }


def test_a_request_beyond_the_limit_is_refused(agent: Collector) -> None:
    """More than 20 MiB are not read: nobody can fill the memory with one request."""
    try:
        status = post(agent, b"\x0a" * (LARGEST + 1))
    except (BrokenPipeError, ConnectionResetError):  # it was not read to its end
        status = 400

    assert status in (400, 413)
    assert works(agent)


def test_a_bomb_is_refused(agent: Collector) -> None:
    """Some kilobytes of gzip that would be 100 MiB are not unpacked."""
    bomb = gzip.compress(b"\x0a" * (5 * LARGEST))

    assert len(bomb) < LARGEST / 100
    assert post(agent, bomb, {"Content-Encoding": "gzip"}) in (400, 413)
    assert works(agent)


def test_the_right_token_over_tls_is_taken(secured: Secured) -> None:
    """With the certificate's authority and the token a request goes as it does without."""
    context = ssl.create_default_context(cafile=str(secured.certificate.cert))
    headers = {"Authorization": f"Bearer {TOKEN}"}

    assert works(secured.agent, headers=headers, context=context)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer a wrong token"}])
def test_a_wrong_token_is_refused(secured: Secured, headers: dict[str, str]) -> None:
    """Without the token nothing is taken, and the token is not in the log."""
    context = ssl.create_default_context(cafile=str(secured.certificate.cert))
    request = Payload("unknown", 1).next()

    assert post(secured.agent, request.body, headers, context) == 401
    assert TOKEN not in secured.agent.process.log.read_text()


def test_plain_text_against_tls_is_refused(secured: Secured) -> None:
    """A sender that speaks no TLS gets no further than the handshake, and is logged once."""
    before = secured.agent.process.log.read_text()
    request = Payload("plain", 1).next()

    try:
        status = post(secured.agent, request.body)
    except ConnectionResetError:  # the answer was overtaken by the end of the connection
        status = 400

    assert status == 400

    def complaints() -> int:
        said = secured.agent.process.log.read_text().removeprefix(before)
        return said.count("TLS handshake error")

    assert eventually(lambda: complaints() == 1)


def test_an_unknown_authority_is_refused_by_the_sender(secured: Secured) -> None:
    """Who does not know the certificate's authority does not talk to the agent."""
    with pytest.raises(ssl.SSLCertVerificationError):
        post(secured.agent, b"", {}, ssl.create_default_context())


def test_garbage_is_not_logged_each_time(agent: Collector) -> None:
    """A sender of garbage cannot fill the disk with our log."""
    before = agent.process.log.stat().st_size
    for _ in range(200):
        post(agent, b"\xff" * 100)

    assert agent.process.log.stat().st_size - before < 20_000


def test_by_default_only_this_machine_can_connect(agent: Collector) -> None:
    """All ports of an agent are on loopback unless told otherwise."""
    listening = Path(f"/proc/{agent.process.pid}/net/tcp").read_text().splitlines()[1:]
    ours = {f"{port:04X}" for port in agent.ports.values()}
    found = {line.split()[1].partition(":")[::2] for line in listening if line.split()[3] == "0A"}

    assert {port for _, port in found} >= ours
    assert {address for address, port in found if port in ours} == {"0100007F"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"\xff" * 1000, "INTERNAL"), (b"\x0a" * (LARGEST + 1), "RESOURCE_EXHAUSTED")],
    ids=["garbage", "too large"],
)
def test_grpc_refuses_it_too(agent: Collector, body: bytes, expected: str) -> None:
    """What is no OTLP or too large gets a code over gRPC; what is good still goes."""
    with grpc.insecure_channel(f"127.0.0.1:{agent.ports['GRPC']}") as channel:
        call = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        with pytest.raises(grpc.RpcError) as refused:
            call(body, timeout=10.0)

    assert refused.value.code().name == expected
    assert works(agent)
