"""One check, its back ends scripted, its clock driven."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_stream.pipeline.check import PATIENCE, Check
from otel_stream.pipeline.hop import Part, Report
from otel_stream.pipeline.places import Files, Influx, Place, Series, Traces
from otel_stream.pipeline.sending import Sender
from stack.servers import ports

from .server import Answer, Asked, Server

OK: Answer = (200, {})


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[list[Part]] = []

    def clock(self) -> float:
        """Monotonic seconds."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Be so much later."""
        self.now += seconds

    def tell(self, waiting: list[Part], seconds: float) -> None:
        """Note what is waited for."""
        self.waits.append(waiting)


def checked(places: list[Place], agent: Callable[[Asked], Answer], wait: float = 5.0) -> Report:
    """A check with these back ends, of an agent that answers so."""
    time = Time()
    with Server(agent) as server:
        sender = Sender(server.url, timeout=2.0)
        check = Check(places, wait=wait, clock=time.clock, pause=time.pause, tell=time.tell)
        try:
            return check.run(sender)
        finally:
            sender.close()


def states(report: Report) -> dict[tuple[str, str], str]:
    """How each hop went."""
    return {(hop.place, hop.part): hop.state for hop in report.hops}


def jaeger(*traces: Answer) -> Callable[[Asked], Answer]:
    """Answers each question for a trace with the next of these, and then with the last."""
    left = list(traces)

    def answer(asked: Asked) -> Answer:
        if asked.path == "/api/services":
            return 200, {"data": []}
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


NOT_THERE: Answer = (404, {"error": "trace not found"})


def test_a_trace_that_never_comes_is_missing() -> None:
    """It is asked for until the wait is over, and no longer."""
    with Server(jaeger(NOT_THERE)) as server:
        report = checked([Traces(server.url)], lambda asked: OK)

    assert states(report)["Jaeger", "trace"] == "missing"
    assert (report.arrived, report.seconds) == (False, 5.0)


def test_another_trace_in_its_place_is_not_it() -> None:
    """A span with other ids is none of ours."""
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "attributes": [], "events": []}
    batch = {"result": {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}}
    with Server(jaeger((200, batch))) as server:
        report = checked([Traces(server.url)], lambda asked: OK)

    assert states(report)["Jaeger", "trace"] == "missing"


@pytest.mark.parametrize("answer", [(200, "no JSON"), (200, {}), (200, []), (500, "broken")])
def test_an_answer_that_is_none_is_no_crash(answer: Answer) -> None:
    """Whatever is at the address, it is said in a line."""
    with Server(lambda asked: answer) as server:
        url = server.url
        places = [Traces(url), Series(url), Influx(url, "db", lambda: 1e9)]
        report = checked(places, lambda asked: OK)

    assert {s for (place, _), s in states(report).items() if place != "agent"} == {"unreachable"}
    assert len(report.problems) == 3
    assert all("\n" not in each.what for each in report.problems)


def test_a_place_that_does_not_answer_is_not_waited_for_long() -> None:
    """A back end that is not there is told after its patience, however long the wait may be."""
    [port] = ports.free(1)
    report = checked([Traces(f"http://127.0.0.1:{port}")], lambda asked: OK, wait=600.0)

    assert PATIENCE <= report.seconds < PATIENCE + 2
    assert report.problems[0].what.endswith(
        f":{port}/api/services does not answer: Connection refused"
    )


def test_a_place_that_comes_back_is_asked_again() -> None:
    """One answer that fails is not the end."""
    with Server(jaeger((503, "starting"), NOT_THERE)) as server:
        report = checked([Traces(server.url)], lambda asked: OK)

    assert states(report)["Jaeger", "trace"] == "missing"


def test_what_the_agent_refuses_is_not_waited_for(tmp_path: Path) -> None:
    """One signal is refused: the others are followed, and the refusal is the problem."""
    report = checked(
        [Files(str(tmp_path))],
        lambda asked: (404, "no") if asked.path.endswith("logs") else OK,
        wait=1.0,
    )

    assert states(report) == {
        ("agent", "traces"): "acknowledged",
        ("agent", "metrics"): "acknowledged",
        ("agent", "logs"): "refused",
        ("JSON lines", "traces"): "missing",
        ("JSON lines", "metrics"): "missing",
        ("JSON lines", "logs"): "not sent",
    }
    assert "does not take logs: 404 Not Found" in report.problems[0].what


def test_nothing_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password of a URL reach the server, a token the agent, and neither the report."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20geheim")
    tokens: list[str] = []

    def agent(asked: Asked) -> Answer:
        tokens.append(asked.headers["authorization"])
        return 401, "no"

    with Server(lambda asked: (401, "who are you?")) as server:
        url = server.url.replace("://", "://user:geheim@")
        places = [Traces(url), Series(url), Influx(url, "db", lambda: 1e9)]
        told = checked(places, agent, wait=0.1).as_json()
        given = {asked.headers["Authorization"] for asked in server.asked}

    assert set(tokens) == {"Bearer geheim"}
    assert given == {"Basic dXNlcjpnZWhlaW0="}
    assert "geheim" not in told
    assert "user:" not in told


def prometheus(*answers: list[Any]) -> Callable[[Asked], Answer]:
    """Answers questions for figures from spans by these vectors, two questions a look."""
    left = [each for each in answers for _ in range(2)]

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("targets"):
            return 200, {"status": "success", "data": {"activeTargets": []}}
        if "otel_stream_spans" not in asked.query["query"]:
            return 200, {"status": "success", "data": {"result": []}}
        found = left.pop(0) if left else answers[-1]
        return 200, {"status": "success", "data": {"result": found}}

    return answer


def test_somebody_elses_stream_is_not_taken_for_ours() -> None:
    """One more span, of another length, is another check's."""
    before = [{"metric": {"job": "otel-stream-check"}, "value": [1, "1"]}]
    after = [{"metric": {"job": "otel-stream-check"}, "value": [1, "2"]}]
    with Server(prometheus(before, after)) as server:
        report = checked([Series(server.url)], lambda asked: OK)

    assert states(report)["Prometheus", "figures from spans"] == "missing"


def test_lines_that_were_there_before_are_not_read(tmp_path: Path) -> None:
    """Reading begins where the files end, goes on over a rotation, and waits for whole lines."""
    current = tmp_path / "traces.jsonl"
    current.write_text('{"mark": "m", "n": 1}\n')
    files = Files(str(tmp_path))
    files.begin()
    with current.open("a") as file:
        file.write('{"mark": "m", "n": 2}\n{"n": 3}\n{"mark": "m", "n"')
    first = list(files._files.fresh("traces", "m"))
    with current.open("a") as file:
        file.write(": 4}\n")
    current.rename(tmp_path / "traces-2026-11-21T18-00-00.000.jsonl")
    current.write_text('{"mark": "m", "n": 5}\n')
    then = list(files._files.fresh("traces", "m"))

    assert [each["n"] for each in first] == [2]
    assert sorted(each["n"] for each in then) == [4, 5]
