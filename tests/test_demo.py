"""`make demo`: what it prints in a pipe, what it leaves on disk, whether its pictures are true."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_stream.outcome import Outcome
from otel_stream.testing import ProviderServer, Script, chat_text, chat_usage, openai_error
from tests.demo_run import DEMO, Ended, lines_of, run

ENDS = {
    "whole answer": "completed",
    "reasoning first": "completed",
    "tool call": "completed",
    "stall": "completed",
    "slow reader": "completed",
    "reader leaves": "closed_early",
    "forgotten": "abandoned",
    "cancelled": "cancelled",
    "cut off": "truncated",
    "error midway": "error",
}
LIVE = ("--live", "openai", "--model", "gpt-4o-mini")

pytest.importorskip("rich")


@pytest.fixture
def figures(demo: Ended, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that the demo drew."""
    monkeypatch.syspath_prepend(DEMO.parent)
    from otel_stream_demo.figures import figures_of

    lines = lines_of(demo.folder)
    ids = set(re.findall(r'"traceId": ?"(\w+)"', "\n".join(lines)))
    found: list[Any] = figures_of(lines, ids, list(ENDS))
    return found


def test_it_ends_well(demo: Ended) -> None:
    """Status 0, and nothing on the error stream."""
    assert (demo.status, demo.err) == (0, "")


def test_lines_in_a_pipe_are_plain(demo: Ended) -> None:
    """No control characters, and no line of the pictures wider than the terminal."""
    pictures = demo.out[demo.out.index("╷0 s") : demo.out.index("traces  ")]

    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", demo.out) == []
    assert max(map(len, pictures.splitlines())) <= 80


def test_all_outcomes_are_there(demo: Ended) -> None:
    """Each scene ends as it is meant to, and every outcome is among them."""
    assert {scene: span["otel_stream.outcome"] for scene, span in demo.spans.items()} == ENDS
    assert set(ENDS.values()) == {outcome.value for outcome in Outcome}


def test_each_end_is_told_when_it_comes(demo: Ended) -> None:
    """While the streams run there is a line for each beginning, first token, stall and end."""
    for scene, outcome in ENDS.items():
        assert re.search(rf"^ +\d+\.\d\d s  {scene} +asks ", demo.out, re.MULTILINE)
        assert re.search(rf"^ +\d+\.\d\d s  {scene} +{outcome} ", demo.out, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d\d s  stall +stalls since ", demo.out, re.MULTILINE)


def test_the_tables_hold_the_figures_of_the_spans(demo: Ended) -> None:
    """What is printed of a stream is what its span says."""
    span = demo.spans["stall"]
    times, ends = re.findall(r"^stall +(\d.*\S) *$", demo.out, re.MULTILINE)[-2:]

    assert f"{span['otel_stream.time_to_first_token']:.2f}" in times.split()
    assert f"{span['otel_stream.stall.duration']:.2f}" in times.split()
    assert ends.split()[0] == span["otel_stream.chunk.count"]
    assert f"{span['otel_stream.chunk.gap.max'] * 1e3:.0f}" in ends.split()


def test_the_scenes_are_what_they_are_called(demo: Ended) -> None:
    """The stall is one, the slow reader is slow, reasoning comes before text, a tool is called."""
    spans = demo.spans
    reasoning = spans["reasoning first"]

    assert spans["stall"]["otel_stream.stall.count"] == "1"
    assert spans["slow reader"]["otel_stream.consumer_time"] > 3
    assert spans["slow reader"]["otel_stream.provider_wait"] < 2
    assert (
        reasoning["otel_stream.time_to_first_reasoning"]
        < reasoning["otel_stream.time_to_first_text"]
    )
    assert "otel_stream.time_to_first_tool_call" in spans["tool call"]


def test_the_model_that_was_asked_answers(demo: Ended) -> None:
    """By its dated name, as the real services do."""
    for span in demo.spans.values():
        asked, answered = span["gen_ai.request.model"], span["gen_ai.response.model"]
        assert re.fullmatch(rf"{re.escape(asked)}-20[0-9-]+", answered)


def test_it_says_where_the_files_lie(demo: Ended) -> None:
    """Whole paths of files that are there, and what to type next."""
    for kind in ("traces", "metrics"):
        path = demo.folder / "otel-stream-data" / f"{kind}.jsonl"
        assert f"{path}\n" in demo.out
        assert path.stat().st_size > 0
    assert "make demo ARGS='--live openai --model" in demo.out
    assert f"{sys.executable} -m otel_stream doctor" in demo.out


def test_files_that_cannot_be_written_are_a_line(tmp_path: Path) -> None:
    """The pictures are drawn all the same; the reason is said, what to run next, and status 1."""
    (tmp_path / "taken").touch()
    ended = run(tmp_path, OTEL_STREAM_DATA_DIR="taken")

    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert re.match(r"demo: .* cannot export traces to .*taken/traces\.jsonl.* exists", ended.err)
    assert ended.err.endswith(f"; see {sys.executable} -m otel_stream doctor\n")
    assert re.search(r"^error midway .* 14/1\? +error ", ended.out, re.MULTILINE)
    assert "\ntraces " not in ended.out


def test_spans_that_are_not_sampled_are_a_line(tmp_path: Path) -> None:
    """The variable that leaves all of them out is named."""
    ended = run(tmp_path, OTEL_TRACES_SAMPLER="always_off")

    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert "OTEL_TRACES_SAMPLER=always_off" in ended.err


def test_the_timeline_shows_what_the_span_says(figures: list[Any]) -> None:
    """Stalls, a busy reader and the chunks stand where the span has them."""
    from otel_stream_demo.course import Course

    course = Course(next(one for one in figures if one.title == "stall"))
    slow = Course(next(one for one in figures if one.title == "slow reader"))

    assert sum(chunks.amount for chunks in course.chunks) == 23
    assert [round(stretch.end - stretch.start) for stretch in course.stalls] == [3]
    assert sum(stretch.end - stretch.start for stretch in slow.reader) > 3


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("--live", "openai"), {}, "--model NAME"),
        (LIVE, {"OPENAI_API_KEY": ""}, "OPENAI_API_KEY"),
        (
            ("--live", "anthropic", "--model", "claude"),
            {"ANTHROPIC_API_KEY": ""},
            "ANTHROPIC_API_KEY",
        ),
        (("--model", "gpt-4o-mini"), {}, "--live"),
        ((), {"OTEL_STREAM_GRACE": "soon"}, "OTEL_STREAM_GRACE='soon'"),
        ((), {"OTEL_SDK_DISABLED": "true"}, "switches traces off"),
    ],
)
def test_errors_are_one_line(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    """What is wrong and where, no traceback, and a status that is not 0."""
    ended = run(tmp_path, *arguments, **variables)

    assert ended.status in (1, 2)
    assert ended.err.startswith("demo: ")
    assert said in ended.err
    assert (ended.err.count("\n"), ended.out) == (1, "")


class TestLive:
    """`--live`, against a server that the SDK's own variable names."""

    def test_a_real_provider_is_asked(self, tmp_path: Path) -> None:
        """With key and model the same is drawn of the provider's answers."""
        with ProviderServer() as server:
            stream = Script.stream(chat_text(["word "] * 60, usage=chat_usage()), every=0.03)
            server.script("/v1/chat/completions", stream, times=4)
            where = {"OPENAI_BASE_URL": server.openai_url, "OPENAI_API_KEY": "test"}
            ended = run(tmp_path, *LIVE, "--prompt", "Hello?", **where)
            asked = [request.json["messages"][0]["content"] for request in server.requests]

        outcomes = {scene: span["otel_stream.outcome"] for scene, span in ended.spans.items()}
        assert (ended.status, ended.err, asked) == (0, "", ["Hello?"] * 4)
        assert outcomes == {
            "whole answer": "completed",
            "slow reader": "completed",
            "reader leaves": "closed_early",
            "cancelled": "cancelled",
        }

    def test_a_rejected_key_is_one_line(self, tmp_path: Path) -> None:
        """The provider's own words, once, what to check, no empty pictures, and status 1."""
        refusal = openai_error("Incorrect API key provided.", "invalid_api_key")
        with ProviderServer() as server:
            server.script(None, Script.json(refusal, status=401), times=4)
            where = {"OPENAI_BASE_URL": server.openai_url, "OPENAI_API_KEY": "test"}
            ended = run(tmp_path, *LIVE, **where)

        said = "demo: openai answers 401: Incorrect API key provided; check OPENAI_API_KEY\n"
        assert (ended.status, ended.err) == (1, said)
        assert "outcome" not in ended.out

    def test_a_service_out_of_reach_is_one_line(self, tmp_path: Path) -> None:
        """What failed, its cause and what to check; no empty pictures, no hint to ask again."""
        with ProviderServer() as server:
            nowhere = server.openai_url
        ended = run(tmp_path, *LIVE, OPENAI_BASE_URL=nowhere, OPENAI_API_KEY="test")

        assert (ended.status, ended.err.count("\n")) == (1, 1)
        assert ended.err.startswith("demo: openai cannot be reached at 127.0.0.1: Connection error")
        assert "refused" in ended.err or "attempts failed" in ended.err
        assert "OPENAI_BASE_URL" in ended.err
        assert "outcome" not in ended.out
        assert "make demo" not in ended.out


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    """The usual status, one line, no traceback, and the open streams are exported as abandoned."""
    running = subprocess.Popen(
        [sys.executable, "-u", str(DEMO)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with running, running.stdout as lines:  # type: ignore[union-attr]
        next(line for line in lines if "first token" in line)
        running.send_signal(signal.SIGINT)
        rest = lines.read()

    assert (running.returncode, rest.splitlines()[-1][:9]) == (130, "stopped; ")
    assert "Traceback" not in rest
    spans = Ended(130, "", "", tmp_path).spans.values()
    assert "abandoned" in {span["otel_stream.outcome"] for span in spans}
