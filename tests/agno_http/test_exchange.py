"""An exchange told by hand: what no server does every day."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from opentelemetry.trace import StatusCode

from otel_stream import runtime
from otel_stream.call import CallInfo
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream_agno_http import exchange as module
from otel_stream_agno_http.exchange import RunExchange
from otel_stream_agno_http.run import AskedRun
from otel_stream_agno_http.wire import WireParser

from .streams import ODD, WIRES, agent, joke, server_sent

HEADERS = {"content-type": "text/event-stream; charset=utf-8"}
INFO = {"operation": "invoke_agent", "provider": "agno"}


def told(pieces: Iterable[bytes], *, status: int = 200, kind: str = "") -> RunExchange:
    """An exchange that has got these pieces, each after waiting 100 ms; its body goes on."""
    run = AskedRun(runtime.current(), CallInfo(**INFO))  # type: ignore[arg-type]
    exchange = RunExchange(runtime.current(), run)
    exchange.responded(status, {"content-type": kind} if kind else HEADERS)
    now = exchange._recorder.called
    for piece in pieces:
        exchange.asks(now)
        exchange.arrived(piece, now, now + 0.1)
        now += 0.1
    return exchange


def finish(exchange: RunExchange) -> None:
    now = exchange._recorder.read_at
    exchange.finished(now, now)


def test_reads_without_an_event_are_waiting(captured: Captured) -> None:
    """An event in three pieces was waited for three times, and is one chunk with one gap."""
    start, *_, end = server_sent(joke())
    third = len(end) // 3
    finish(told([start, end[:third], end[third:-third], end[-third:]]))
    attributes = captured.span().attributes or {}

    assert attributes["otel_stream.chunk.count"] == 2
    assert attributes["otel_stream.chunk.gap.max"] == pytest.approx(0.3)
    assert attributes["otel_stream.provider_wait"] == pytest.approx(0.4)


def test_the_wires_own_end_mark(captured: Captured) -> None:
    """`[DONE]` says that the run is whole, as it does elsewhere."""
    finish(told([*server_sent([agent.start(), *agent.says("a")]), b"data: [DONE]\n\n"]))

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "completed"


def test_a_run_of_nothing_but_content(captured: Captured) -> None:
    """A run that was asked for its content alone never says that it is whole."""
    finish(told(server_sent(agent.says("a", "b"))))

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "completed"


def test_an_event_that_was_too_long(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, and since it may have been the last one nobody calls the run cut off."""
    monkeypatch.setattr(module, "WireParser", lambda: WireParser(limit=1_000))
    finish(told(server_sent([agent.start(), *agent.says("a"), agent.end("x" * 2_000)])))

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "completed"
    dropped = captured.point("otel_stream.events.dropped")
    assert (dropped.attributes["otel_stream.drop.reason"], dropped.value) == ("wire_too_long", 1)


@pytest.mark.parametrize(
    ("status", "kind", "body", "outcome"),
    [
        (200, "application/json", b'{"content": "cut', "truncated"),
        (200, "application/json", b"", "truncated"),
        (200, "text/html", b"<p>Hi", None),
        (202, "application/json", b'{"run_id": "r", "status": "PENDING"}', None),
        (307, "text/plain", b"", "307"),
        (500, "text/plain", b"Internal Server Error", "500"),
        (422, "application/json", b'{"detail": [{"input": "secret"}]}', "422"),
    ],
)
def test_other_answers(
    status: int, kind: str, body: bytes, outcome: str | None, captured: Captured
) -> None:
    """What is no stream ends as its status and its body say; nothing of it is quoted."""
    finish(told([body] if body else [], status=status, kind=kind))
    span = captured.span()

    assert (span.attributes or {}).get("error.type") == outcome
    assert "secret" not in str((span.attributes, span.status.description))


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "application/json"])
@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_of_another_type(wire: str, kind: str, captured: Captured) -> None:
    """What its bytes say is a stream is one, whatever its content type says."""
    finish(told(WIRES[wire](joke()), kind=kind))
    attributes = captured.span().attributes or {}

    assert attributes["otel_stream.outcome"] == "completed"
    assert attributes["otel_stream.content.size"] == sum(map(len, ODD))
    assert "otel_stream.time_to_first_text" in attributes


def test_a_stream_of_another_type_that_breaks_off(captured: Captured) -> None:
    """It is one all the same."""
    finish(told(server_sent(joke()[:-1]), kind="text/plain"))

    assert (captured.span().attributes or {})["error.type"] == "truncated"


def test_no_stream_at_all(captured: Captured) -> None:
    """Of what has no event of a run only the end is told."""
    finish(told([b"<p>Hi", b'{"event": "click"}'], kind="text/html"))
    attributes = captured.span().attributes or {}

    assert attributes["otel_stream.outcome"] == "completed"
    assert "otel_stream.chunk.count" not in attributes


@pytest.mark.parametrize(("end", "outcome"), [("finish", "completed"), ("left", "closed_early")])
def test_an_encoding_that_cannot_be_undone(end: str, outcome: str, captured: Captured) -> None:
    """Nobody can say of it what is missing: an end is an end."""
    exchange = told([b"", b""])
    finish(exchange) if end == "finish" else exchange.left(Outcome.CLOSED_EARLY, closed=True)
    span = captured.span()

    assert (span.attributes or {})["otel_stream.outcome"] == outcome
    assert (span.status.status_code, "otel_stream.chunk.count" in (span.attributes or {})) == (
        StatusCode.UNSET,
        False,
    )


def test_ends_are_told_once(captured: Captured) -> None:
    """Whatever comes after the end changes nothing."""
    exchange = told(server_sent(joke()))
    finish(exchange)
    exchange.left(Outcome.CLOSED_EARLY, closed=True)
    exchange.dropped(Outcome.ABANDONED)
    exchange.failed(OSError("late"), 0.0, 0.0)
    exchange.arrived(b"{", 0.0, 0.0)

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "completed"
