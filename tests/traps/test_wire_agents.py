"""The wires of Agno's servers: each mistake of the originals' own parser and of their traces."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.trace import StatusCode

import otel_stream
from otel_stream.testing import Captured
from otel_stream_agno_http import AgnoHttpInstrumentor

from ..agno_http.server import Answer, WireServer, stream
from ..agno_http.streams import (
    ODD,
    WIRES,
    Event,
    agent,
    cut,
    joke,
    member,
    objects,
    server_sent,
    team,
)

Ask = Callable[..., list[bytes]]
GAP = 0.05
both_wires = pytest.mark.parametrize("wire", ["objects", "server_sent"])
content = pytest.mark.otel_stream(capture_content=True)


@pytest.fixture(autouse=True)
def instrumented(captured: Captured) -> Iterator[None]:
    """The instrumentor of runs over HTTP."""
    instrumentor = AgnoHttpInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Asks an agent, which answers in these pieces, and reads as a program does."""
    servers: list[WireServer] = []

    def read(
        pieces: list[bytes], gap: float = 0.0, path: str = "/agents/genie/runs"
    ) -> list[bytes]:
        answer: Answer = stream(*pieces, gap=gap)
        servers.append(WireServer(lambda _: answer))
        with httpx.stream("POST", servers[-1].url + path, trust_env=False) as response:
            return list(response.iter_bytes())

    yield read
    for server in servers:
        server.close()


def facts_of(captured: Captured, name: str = "invoke_agent genie") -> Any:
    return captured.span(name).attributes


def text_of(attributes: Any) -> str:
    [message] = json.loads(attributes["gen_ai.output.messages"])
    return "".join(part["content"] for part in message["parts"] if part["type"] == "text")


@both_wires
def test_the_first_token_has_a_time(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 1: the time to the first token stands where the outcome does, and is never 0."""
    ask(WIRES[wire](joke()), GAP)
    attributes = facts_of(captured)

    assert attributes["otel_stream.outcome"] == "completed"
    assert attributes["otel_stream.time_to_first_token"] > 2 * GAP


def test_the_first_token_is_the_wires(ask: Ask, captured: Captured) -> None:
    """Trap 2: a parser that gives each event out with the next one delays nothing but itself."""

    def texts() -> Iterator[str]:
        late = ""
        for piece in ask(objects(joke()), GAP):
            yield late
            late = json.loads(piece).get("content") or ""
            time.sleep(GAP)

    list(otel_stream.trace_stream(texts()))
    first = facts_of(captured)["otel_stream.time_to_first_text"]

    assert first == pytest.approx(3 * GAP, abs=GAP / 2)
    assert facts_of(captured, "chat")["otel_stream.consumer.lag"] > GAP


@content
@both_wires
def test_the_last_brace_completes_the_run(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 8: nothing comes after the last event, and it counts: the run is completed, whole."""
    pieces = WIRES[wire](joke())
    ask([*pieces[:-1], pieces[-1].rstrip()])

    assert facts_of(captured)["otel_stream.outcome"] == "completed"
    assert text_of(facts_of(captured)) == "".join(ODD)


@content
@both_wires
def test_braces_and_letters_are_text(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 9: `}{` in the text and letters cut in two cost no event, however the body is cut."""
    body = b"".join(WIRES[wire](joke()))
    for size in (1, 7, 100):
        ask(cut(body, range(0, len(body), size)))
        assert text_of(facts_of(captured)) == "".join(ODD)
        captured.clear()


UNKNOWN = ["ToolCallStarted", "MemoryUpdateStarted", "CompactionCompleted", "GhostSeen", "", 7]


@both_wires
@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_events_are_no_errors(name: Any, wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 10: an event that nobody knows, or knows without its fields, is passed over."""
    odd: Event = {**agent.event("RunContentCompleted"), "event": name, "tool": "none"}
    start, *rest = joke()
    pieces = [json.dumps(odd).encode()] if wire == "objects" else server_sent([odd])
    ask([*WIRES[wire]([start]), *pieces, *WIRES[wire](rest)])

    assert facts_of(captured)["otel_stream.outcome"] == "completed"
    assert facts_of(captured)["otel_stream.content.size"] == len("".join(ODD))


@both_wires
def test_an_error_at_the_end_is_one(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 11: the run's error is the stream's last event, with status 200, and is an error."""
    failure = {"event": "RunError", "agent_id": "", "agent_name": "", "content": "no credit"}
    ask(WIRES[wire]([*joke()[:-1], failure]))

    assert captured.span().status.status_code is StatusCode.ERROR
    assert (captured.span().attributes or {})["error.type"] == "RunError"


@both_wires
def test_a_cut_stream_is_not_whole(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 11: a stream that ends in the middle of an event is truncated, and that is an error."""
    body = b"".join(WIRES[wire](joke()))
    ask([body[:-20]])

    assert facts_of(captured)["otel_stream.outcome"] == "truncated"
    assert captured.span().status.status_code is StatusCode.ERROR


@content
@both_wires
def test_a_member_does_not_end_the_team(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 12: the team goes on after its member's end, and each has its own text."""
    inner = member("joker").whole("A joke.")
    events = [team.start(), *inner, *team.says("That was it."), team.end("That was it.")]
    ask(WIRES[wire](events), path="/teams/ana/runs")

    assert text_of(facts_of(captured, "invoke_agent ana")) == "That was it."
    assert text_of(facts_of(captured, "invoke_agent Joker")) == "A joke."


def test_only_what_was_sent_is_told(ask: Ask, captured: Captured) -> None:
    """Trap 15: a request without a session has none, until the server says which it made."""
    silent = [{**event, "session_id": None} for event in joke()]
    ask(server_sent(silent))
    assert "gen_ai.conversation.id" not in facts_of(captured)

    captured.clear()
    ask(server_sent(joke()))
    assert facts_of(captured)["gen_ai.conversation.id"] == "s-1"


@both_wires
def test_tools_and_tokens(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 17: a streamed run has its tools, and the tokens that the server reports."""
    tools = [agent.tool("Started", "call-1"), agent.tool("Completed", "call-1")]
    end = agent.end("a", metrics={"input_tokens": 9, "output_tokens": [3, 4]})
    ask(WIRES[wire]([agent.start(), *tools, *agent.says("a"), end]))
    attributes = facts_of(captured)

    assert len(captured.spans("execute_tool search")) == 1
    assert attributes["otel_stream.reported.input_tokens"] == 9
    assert attributes["otel_stream.reported.output_tokens"] == 7


@both_wires
def test_an_empty_delta_is_no_token(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 20: the first delta is empty: it is a chunk and no token. The whole text that comes
    with the end is not counted once more."""
    ask(WIRES[wire](agent.whole("Hi")), GAP)
    attributes = facts_of(captured)

    assert attributes["gen_ai.response.time_to_first_chunk"] == pytest.approx(GAP, abs=GAP / 2)
    assert attributes["otel_stream.time_to_first_token"] == pytest.approx(3 * GAP, abs=GAP / 2)
    assert attributes["otel_stream.content.size"] == len("Hi")


@both_wires
def test_words_are_only_words(wire: str, ask: Ask, captured: Captured) -> None:
    """Trap 21: what an event is its name says, and never a word in its text."""
    words = ["RunError", "document", '"event": "RunCompleted"', "image", "tool_call_error: true"]
    ask(WIRES[wire](agent.whole(*words)))

    assert facts_of(captured)["otel_stream.outcome"] == "completed"
    assert facts_of(captured)["otel_stream.content.size"] == len("".join(words))
    assert len(captured.spans()) == 1
