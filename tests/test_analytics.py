"""Live analytics: open and ended streams, what held them up, what the person saw of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context

import otel_stream
from otel_stream import get_streaming_analytics
from otel_stream.analytics import Analytics, analytics
from otel_stream.channel import stream_to_channel
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import Turn
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.trace import Trace
from tests.delivery.turns import within

Begin = Callable[..., Trace]


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """No stream of another test is known."""
    analytics._start_anew()


def told(trace: Trace, clock: ScriptedClock, *texts: str, wait: float, work: float) -> None:
    """Tell of texts: each is waited for, and then worked on."""
    for text in texts:
        started = clock()
        clock.advance(wait)
        trace.recorder.feed(text, started, clock())
        clock.advance(work)


def test_an_open_stream_is_shown(begin: Begin, clock: ScriptedClock) -> None:
    """A stream is there while it lasts, with what is known so far."""
    trace = begin()
    told(trace, clock, "Hello", " you", wait=0.5, work=0.0)

    [stream] = get_streaming_analytics()["active"]
    trace.recorder.close()

    assert (stream["model"], stream["characters"], stream["chunks"]) == ("m", 9, 2)
    assert stream["actual"] == {"first_token": 0.5, "first_text": 0.5, "complete": None}
    assert stream["quality"]["outcome"] is None
    assert stream["bottleneck"] == "provider"


def test_an_ended_stream_stays(begin: Begin, clock: ScriptedClock) -> None:
    """Finished streams do not vanish: they are kept, with how they ended."""
    trace = begin()
    told(trace, clock, "Hello", wait=0.5, work=0.0)
    trace.recorder.end(Outcome.COMPLETED, clock())

    report = get_streaming_analytics()

    assert report["active"] == []
    assert [stream["quality"]["outcome"] for stream in report["finished"]] == ["completed"]
    assert (report["ended"], report["outcomes"]) == (1, {"completed": 1})


@pytest.mark.parametrize(("wait", "work", "slow"), [(0.5, 0.1, "provider"), (0.1, 2.0, "consumer")])
def test_the_bottleneck_is_where_the_time_went(
    begin: Begin, clock: ScriptedClock, wait: float, work: float, slow: str
) -> None:
    """A slow provider and a slow consumer are told apart."""
    trace = begin()
    told(trace, clock, "a", "b", "c", wait=wait, work=work)
    trace.recorder.end(Outcome.COMPLETED, clock())

    report = get_streaming_analytics()

    assert report["finished"][0]["bottleneck"] == slow
    assert report["bottlenecks"] == {slow: 1}


def test_streams_without_a_turn_say_nothing_of_delivery(begin: Begin, clock: ScriptedClock) -> None:
    """What is not known is None, and no zero."""
    trace = begin()
    trace.recorder.end(Outcome.COMPLETED, clock())

    [stream] = get_streaming_analytics()["finished"]

    assert stream["perceived"] is None
    assert (stream["times"]["queue"], stream["times"]["delivery"]) == (None, None)


@pytest.fixture
def turn(captured: Captured, clock: ScriptedClock) -> Iterator[Turn]:
    """A turn that streams answer."""
    turn = Turn("whatsapp", {}, clock=clock)
    yield turn
    turn.drop(Outcome.COMPLETED)


def sent(turn: Turn, clock: ScriptedClock, took: float, **message: Any) -> None:
    """Send a message of this turn."""
    sending = within(turn, lambda: Send(Message(text="Hi", **message), clock=clock))
    clock.advance(took)
    sending.accepted("3EB0")


def test_what_the_loop_sends_is_no_time_of_the_consumer(
    turn: Turn, begin: Begin, clock: ScriptedClock
) -> None:
    """A message that is sent between two reads held the stream up as delivery."""
    trace = within(turn, begin)
    told(trace, clock, "a", wait=0.1, work=0.2)
    sent(turn, clock, 1.5)
    trace.recorder.finish(clock(), clock())

    [stream] = get_streaming_analytics()["finished"]

    assert stream["times"] == pytest.approx(
        {"queue": 0.0, "provider": 0.1, "consumer": 0.2, "delivery": 1.5}
    )
    assert stream["bottleneck"] == "delivery"


def test_what_is_sent_beside_the_loop_stays_the_consumers(
    turn: Turn, begin: Begin, clock: ScriptedClock
) -> None:
    """A consumer that is slow by itself is the bottleneck, whatever is sent meanwhile."""
    trace = within(turn, begin)
    told(trace, clock, "a", wait=0.1, work=0.6)
    sent(turn, clock, 1.4, ready_at=clock())
    trace.recorder.finish(clock(), clock())

    [stream] = get_streaming_analytics()["finished"]

    assert stream["times"]["consumer"] == pytest.approx(2.0)
    assert stream["times"]["delivery"] == pytest.approx(1.4)
    assert stream["bottleneck"] == "consumer"


def test_each_stream_has_its_own_delivery(turn: Turn, begin: Begin, clock: ScriptedClock) -> None:
    """What was over before anything was sent is not charged; the last one is, also afterwards."""
    for number in range(2):
        trace = within(turn, begin)
        told(trace, clock, "a", wait=0.1, work=0.3)
        if number:
            sent(turn, clock, 1.0)
        trace.recorder.finish(clock(), clock())
    sent(turn, clock, 2.0)

    report = get_streaming_analytics()
    times = [stream["times"] for stream in report["finished"]]

    assert [each["delivery"] for each in times] == pytest.approx([0.0, 3.0])
    assert [each["consumer"] for each in times] == pytest.approx([0.3, 0.3])


async def test_back_pressure_is_time_of_delivery(captured: Captured) -> None:
    """A stream that waits for room among the messages is held up by delivery."""

    class Slow:
        """A channel that takes its time."""

        system = "whatsapp"

        async def send(self, recipient: str, text: str) -> None:
            """One message."""
            await asyncio.sleep(0.05)

        async def typing(self, recipient: str, seconds: float) -> None:
            """Nothing is shown."""

    async def answer() -> AsyncIterator[str]:
        async def model() -> AsyncIterator[str]:
            for _ in range(6):
                yield "How are you today?\n\n"

        async for text in otel_stream.trace_stream(model()):
            yield text

    turn = Turn("whatsapp", {})
    token = otel_context.attach(turn.context)
    delivery = await stream_to_channel(answer(), Slow(), "5511", spacing=0, backlog=20)
    otel_context.detach(token)
    [stream] = get_streaming_analytics()["finished"]
    turn.drop(Outcome.COMPLETED)

    assert delivery.back_pressure > 0.1
    assert stream["times"]["consumer"] < 0.5 * delivery.back_pressure
    assert stream["bottleneck"] == "delivery"


def test_failures_are_counted(begin: Begin, clock: ScriptedClock) -> None:
    """Each of the six outcomes is counted by its own name (Trap 13)."""
    for outcome in Outcome:
        begin().recorder.end(outcome, clock())

    assert get_streaming_analytics()["outcomes"] == dict.fromkeys(map(str, Outcome), 1)


def test_memory_is_bounded(begin: Begin, clock: ScriptedClock) -> None:
    """The oldest streams make room; the counts stay exact."""
    few = Analytics(size=3)
    for number in range(5):
        trace = begin(model=f"m{number}")
        trace.recorder.end(Outcome.COMPLETED, clock())
        few.ended(trace, {"otel_stream.outcome": "completed"}, 1.0)

    report: dict[str, Any] = few.report()

    assert [stream["model"] for stream in report["finished"]] == ["m2", "m3", "m4"]
    assert report["ended"] == 5


def test_no_content_is_kept(begin: Begin, clock: ScriptedClock, captured: Captured) -> None:
    """What was said stands nowhere in the report."""
    trace = begin(content=lambda: {"gen_ai.input.messages": "a secret"})
    told(trace, clock, "another secret", wait=0.1, work=0.0)
    trace.recorder.end(Outcome.COMPLETED, clock())

    assert "secret" not in repr(get_streaming_analytics())
