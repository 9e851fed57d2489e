"""Which requests are runs, and what their bodies say."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from otel_stream.settings import AGENT_PATHS
from otel_stream.testing import Captured
from otel_stream_agno_http.asked import Asked, asked_in
from otel_stream_agno_http.interest import Target, target_of

from .streams import joke, server_sent

pytestmark = pytest.mark.sdk_matrix  # msgspec and the HTTP libraries count too


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/agents/genie/runs", Target("genie", False)),
        ("/teams/ana/runs", Target("ana", True)),
        ("/playground/agents/genie/runs", Target("genie", False)),
        ("/api/v1/teams/an%C3%A1/runs/", Target("aná", True)),
        ("/agents/genie/runs/r-1/continue", Target("genie", False)),
        ("/agents/genie/runs/r-1/cancel", None),
        ("/agents/genie/runs/r-1", None),
        ("/agents/a/b/runs", None),
        ("/subagents/genie/runs", None),
        ("/v1/threads/t-1/runs", None),
        ("/agents//runs", None),
        ("/", None),
    ],
)
def test_paths_of_runs(path: str, target: Target | None) -> None:
    """A run is told by the end of its path, wherever the server is mounted."""
    assert target_of(path, AGENT_PATHS) == target


@pytest.mark.parametrize(
    ("pattern", "target"),
    [("bots/*/ask", Target("x", None)), ("/bots/x/ask/", Target("", None)), ("ask/*", None)],
)
def test_paths_of_ones_own(pattern: str, target: Target | None) -> None:
    """The setting may name other paths; what they do not say is not known."""
    assert target_of("/v2/bots/x/ask", (pattern,)) == target


FIELDS = {"message": "Olá & bye", "session_id": "s 1", "stream": "False"}


def bodies() -> dict[str, bytes]:
    """The same fields in each form, as a library makes them."""
    made: dict[str, Any] = {
        "urlencoded": {"data": {**FIELDS, "user_id": "u-1"}},
        "multipart": {"data": FIELDS, "files": {"files": ("a.txt", b'name="stream"\r\n\r\ntrue')}},
        "json": {"json": {**FIELDS, "stream": False, "more": [1]}},
    }
    return {kind: httpx.Request("POST", "http://x", **body).read() for kind, body in made.items()}


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "json"])
def test_fields_of_a_body(kind: str) -> None:
    """Session, message and whether to stream, whatever form the body has."""
    assert asked_in(bodies()[kind]) == Asked("s 1", False, "Olá & bye")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"--", b"--x\r\n", b"\xff\xfe", b"&&=;", b"[1]", b"{}", b"a=1" * 100_000]
)
def test_bodies_that_say_nothing(body: bytes) -> None:
    """A body that cannot be read, or is large, says nothing; servers stream by default."""
    assert asked_in(body) == Asked()


def ask(**more: Any) -> None:
    """One run, answered at once."""
    body = b"".join(server_sent(joke()))
    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body))
    with httpx.Client(transport=transport) as client:
        client.post("https://hive.test:8080/agents/genie/runs", **more)


PRIVATE = {
    "message": "my secret",
    "user_id": "5511999990000",
    "session_id": "whatsapp_5511999990000",
}


def test_nothing_private_goes_out(captured: Captured) -> None:
    """Neither what is asked nor who asks stands anywhere by default."""
    ask(data=PRIVATE, headers={"x-api-key": "k-123", "authorization": "Bearer k-123"})
    span = captured.span()
    everything = str((span.name, span.attributes, captured.events(), captured.metrics()))

    assert [
        secret for secret in ("secret", "5511", "k-123", "prefer", "🐛") if secret in everything
    ] == []
    assert (span.attributes or {})["server.port"] == 8080


@pytest.mark.otel_stream(capture_content=True)
def test_what_was_asked(captured: Captured) -> None:
    """With content capture the message is there, and still not who asks."""
    ask(data=PRIVATE)
    attributes = captured.span().attributes or {}
    [message] = json.loads(str(attributes["gen_ai.input.messages"]))

    assert message == {"role": "user", "parts": [{"type": "text", "content": "my secret"}]}
    assert "5511" not in str(attributes)


@pytest.mark.otel_stream(agent_paths=("bots/*/ask",))
def test_only_the_paths_that_are_set(captured: Captured) -> None:
    """The setting replaces the paths that are known."""
    ask(data=PRIVATE)

    assert captured.spans() == []
