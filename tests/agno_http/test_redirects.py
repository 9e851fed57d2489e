"""Runs that a server sends elsewhere, or asks who wants them: one run, whatever it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
import requests

from otel_stream.testing import Captured

from .libraries import FORM, LIBRARIES
from .server import Answer, WireServer, stream
from .streams import joke, server_sent

PATH = "/agents/genie/runs"
DIGEST = 'www-authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
RUN = stream(*server_sent(joke()))
AskAt = Callable[..., WireServer]


@pytest.fixture
def first() -> Iterator[AskAt]:
    """A server that says this first, and then runs the agent."""
    servers: list[WireServer] = []

    def start(status: int, header: str) -> WireServer:
        answers = iter([Answer([(0, b"{}")], status, "application/json", header=header)])
        servers.append(WireServer(lambda path: next(answers, RUN)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("where", [f"{PATH}/", "/elsewhere?x=1", "runs"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_redirect_is_the_same_run(
    library: str, where: str, first: AskAt, captured: Captured
) -> None:
    """It ends with the answer of the last hop, counts once, and each hop carries its trace."""
    server = first(307, f"location: {where}")
    _, body = LIBRARIES[library](server.url + PATH)
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}

    assert body == b"".join(piece for _, piece in RUN.pieces)
    assert (attributes["otel_stream.outcome"], attributes.get("error.type")) == ("completed", None)
    assert captured.point("gen_ai.client.operation.duration").count == 1
    assert span.context is not None
    assert all(f"{span.context.span_id:016x}" in one.head for one in server.served.values())


@pytest.mark.parametrize(("status", "header"), [(307, "location: /x"), (302, "location: /login")])
def test_a_redirect_that_nobody_follows(
    status: int, header: str, first: AskAt, captured: Captured
) -> None:
    """It was the answer, and no run."""
    requests.post(first(status, header).url + PATH, data=FORM, allow_redirects=False, timeout=5)
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}

    assert (attributes["otel_stream.outcome"], attributes["error.type"]) == ("error", str(status))
    assert attributes["http.response.status_code"] == status


def test_another_request_is_no_hop(first: AskAt, captured: Captured) -> None:
    """A request to elsewhere in the same task is a run of its own."""
    url = first(307, "location: /x").url
    requests.post(url + PATH, data=FORM, allow_redirects=False, timeout=5)
    requests.post(url + "/agents/other/runs", data=FORM, timeout=5)
    captured.wait_for_spans(2)
    ends = [(each.attributes or {})["otel_stream.outcome"] for each in captured.spans()]

    assert ends == ["error", "completed"]


def test_a_digest(first: AskAt, captured: Captured) -> None:
    """The server's question and the answer to it are one run."""
    auth = httpx.DigestAuth("user", "password")
    httpx.post(first(401, DIGEST).url + PATH, data=FORM, auth=auth, trust_env=False)
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["otel_stream.outcome"] == "completed"


def test_a_digest_that_nobody_has(first: AskAt, captured: Captured) -> None:
    """Without a password it is an error."""
    httpx.post(first(401, DIGEST).url + PATH, data=FORM, trust_env=False)
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["error.type"] == "401"
