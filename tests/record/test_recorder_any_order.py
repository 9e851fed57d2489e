"""Whatever happens to a stream, in whatever order, what is recorded stays sound."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_stream import semconv, span
from otel_stream.delta import (
    Failure,
    Finish,
    Part,
    Reasoning,
    Refusal,
    Response,
    Skip,
    Terminal,
    Text,
    ToolCall,
    Usage,
)
from otel_stream.outcome import Outcome
from otel_stream.record.capture import Capture
from otel_stream.record.limits import Limits
from otel_stream.record.moments import BUDGET
from otel_stream.record.recorder import Recorder
from otel_stream.summary import summary_of
from otel_stream.testing import ScriptedClock

DELTAS = [
    "tea", "", Text("日本", 1), Reasoning("hm"), Reasoning(""), Refusal("no"), Usage(1, 2),
    ToolCall(0, "f", "1"), ToolCall(0, arguments="{"), ToolCall(1, server=True), Finish("stop"),
    Finish("length", 1), Response("r", "m"), Terminal(), Terminal(last=True), Part({"type": "x"}),
    Usage(1, final=False),
]  # fmt: skip
CHUNKS = st.none() | st.sampled_from(DELTAS) | st.lists(st.sampled_from(DELTAS), max_size=3)
WAITS = st.sampled_from([0.0, 0.001, 0.5, 3.0, 20.0])
OUTCOMES = st.sampled_from([Outcome.CLOSED_EARLY, Outcome.CANCELLED, Outcome.ABANDONED])
STEPS = st.one_of(
    st.tuples(st.just("chunk"), CHUNKS, WAITS),
    st.tuples(st.just("chunk"), st.sampled_from([Skip(), Failure("code")]), WAITS),
    st.tuples(st.just("body"), st.none(), WAITS),
    st.tuples(st.just("look"), st.none(), WAITS),
    st.tuples(st.sampled_from(["leave", "drop", "close"]), OUTCOMES, WAITS),
    st.tuples(st.sampled_from(["resume", "done", "finish", "fail"]), st.none(), WAITS),
)


class Plain:
    """Reads chunks that are deltas."""

    def read(self, chunk: Any) -> Any:
        return chunk

    def whole(self, done: bool) -> bool:
        return done

    def failure(self, error: BaseException) -> Failure | None:
        return None


class Once:
    """A listener that counts the ends."""

    def __init__(self) -> None:
        self.ends = 0

    def _hear(self, *_: Any) -> None:
        """Whatever it is."""

    first_token = delta = stalled = usage = gaps = _hear

    def ended(self, recorder: Recorder) -> None:
        self.ends += 1


def take(recorder: Recorder, clock: ScriptedClock, step: tuple[str, Any, float]) -> None:
    """Do one step to a stream."""
    what, value, wait = step
    started = clock()
    if what in ("chunk", "finish", "fail"):
        recorder.reading_since = started
        now = clock.advance(wait)
        if what == "chunk":
            recorder.feed(value, started, now)
        elif what == "finish":
            recorder.finish(started, now)
        else:
            recorder.fail(OSError(), started, now, Outcome.ERROR)
    elif what in ("body", "look"):
        recorder.check(clock.advance(wait))
    else:
        getattr(recorder, what)(*([] if value is None else [value]))


@given(st.lists(STEPS, max_size=60), st.sampled_from(["off", "sampled", "all"]))
def test_any_order(steps: list[tuple[str, Any, float]], mode: str) -> None:
    """It ends once, counts nothing below zero, keeps its budget, and can be written down."""
    clock, listener = ScriptedClock(), Once()
    limits = Limits(chunk_events=mode)
    recorder = Recorder(Plain(), listener, limits=limits, capture=Capture(50), clock=clock)
    for step in steps:
        take(recorder, clock, step)
    recorder.close()
    attributes = span.attributes_of(recorder, streamed=True)
    events = span.events_of(recorder, lambda at: round(at * 1e9))
    summary = summary_of(recorder, lambda at: round(at * 1e9))

    assert listener.ends == 1
    assert recorder.called <= recorder.ended_at <= clock()
    assert [n for n, v in attributes.items() if isinstance(v, int | float) and v < 0] == []
    assert len(events) <= BUDGET - 1
    assert sorted(event[2] for event in events[:-1]) == [event[2] for event in events[:-1]]
    assert attributes[semconv.OUTCOME] == summary["outcome"] == recorder.outcome
    assert len(recorder.gaps) == max(recorder.chunks - 1, 0)


@given(st.lists(STEPS, max_size=60))
def test_time_adds_up(steps: list[tuple[str, Any, float]]) -> None:
    """Waits and the consumer's time are together no longer than the stream."""
    clock = ScriptedClock()
    recorder = Recorder(Plain(), Once(), limits=Limits(), clock=clock)
    for step in steps:
        take(recorder, clock, step)
    recorder.close()

    assert recorder.provider_wait + recorder.consumer_time <= clock() - recorder.called + 1e-6
    assert recorder.stalls.time <= recorder.provider_wait + 1e-6
