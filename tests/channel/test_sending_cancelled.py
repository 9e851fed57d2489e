"""A delivery that is cancelled, and applications that do not let it go; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from otel_stream import StreamingTraceContext, semconv
from otel_stream.channel import Delivery, stream_to_channel
from otel_stream.testing import Captured
from tests.channel.fakes import FakeChannel, FakeStream, stubborn
from tests.channel.virtual import now, run


def cancelled(stream: Any, channel: FakeChannel, *at: float, **options: Any) -> Delivery:
    """Cancel a delivery at these times. No task of it may be left then."""
    reports: list[Delivery] = []

    async def work() -> None:
        sending = stream_to_channel(
            stream, channel, "55", clock=now, report=reports.append, **options
        )
        task = asyncio.create_task(sending)
        for moment in at:
            await asyncio.sleep(moment - now())
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work())
    [delivery] = reports
    return delivery


async def closing_slowly() -> AsyncIterator[str]:
    """An answer whose connection takes a second to close."""
    try:
        yield "Hello"
        await asyncio.sleep(1000.0)
    finally:
        await asyncio.sleep(1.0)


class SlowToStop(FakeChannel):
    """Takes a second to show no more typing."""

    async def typing(self, recipient: str, lasts: float) -> None:
        await super().typing(recipient, lasts)
        await asyncio.sleep(0.0 if lasts else 1.0)


def test_cancelled_again() -> None:
    """Typing ends with the first cancellation, and the stream's own end with the second."""
    channel = FakeChannel()
    delivery = cancelled(closing_slowly(), channel, 5.0, 5.25)

    assert channel.log == [(0.0, "typing", 10.0), (5.0, "typing", 0.0)]
    assert (delivery.ended_at, delivery.lost) == (5.25, 5)


def test_cancelled_while_typing_is_stopped(captured: Captured) -> None:
    """The span of typing ends all the same, and is not open until it runs out."""
    channel = SlowToStop()
    delivery = cancelled(FakeStream([" "], every=0.25), channel, 1.0)

    assert (channel.times("typing"), delivery.ended_at) == ([0.0, 0.5], 1.0)
    assert len(captured.spans("type whatsapp")) == 1
    assert captured.open_spans() == []


def test_cancelled_all_the_time() -> None:
    """However often it is cancelled, nothing is left behind."""
    channel = SlowToStop()

    async def work() -> set[Any]:
        task = asyncio.create_task(stream_to_channel(closing_slowly(), channel, "55", clock=now))
        await asyncio.sleep(5.0)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0.0)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert run(work()) == set()
    assert channel.times("typing")[-1] == 5.0


def test_cancelled_while_the_end_waits_for_room() -> None:
    """All messages of a text that was over are in the result, also those that nobody sent."""
    text = "First.\n\n" + "word " * 42
    delivery = cancelled(
        FakeStream([text]), FakeChannel(takes=1.0), 0.5, limit=200, target=None, backlog=5
    )

    assert [m.status for m in delivery.messages] == ["unknown", "unsent", "unsent"]
    assert sum(m.characters for m in delivery.messages) == delivery.read - delivery.dropped


def test_a_stream_that_keeps_its_cancellation() -> None:
    """It is left at its next item, however much it would say."""

    class Deaf(FakeStream):
        async def __anext__(self) -> str:
            await stubborn(1.0)
            return "word "

    stream = Deaf([])
    delivery = cancelled(stream, FakeChannel(), 4.5)

    assert (delivery.read, delivery.ended_at, stream.closed) == (20, 5.0, True)


def test_a_stream_that_cannot_be_ended(captured: Captured) -> None:
    """It is left behind after some seconds, and the answer was not whole, the trace says too."""
    reports: list[Delivery] = []
    told: dict[str, Any] = {"trace_context": StreamingTraceContext(), "report": reports.append}

    async def answer() -> AsyncIterator[str]:
        yield "Hello.\n\n"
        await stubborn(100.0)

    async def work() -> tuple[float, list[Any]]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3.0):
                await stream_to_channel(answer(), FakeChannel(), "55", clock=now, **told)
        return now(), [dict(span.attributes or {}) for span in captured.spans("chat")]

    at, [span] = run(work())
    assert (at, reports[0].whole, reports[0].lost) == (8.5, False, 0)
    assert span[semconv.OUTCOME] == "cancelled"


@pytest.mark.parametrize(("close", "ended"), [(asyncio.sleep, 5.0), (stubborn, 5.5)])
def test_a_stream_that_does_not_close(close: Any, ended: float) -> None:
    """One that has failed is closed for some seconds at most, then its error is raised."""
    channel = FakeChannel()

    class Hanging(FakeStream):
        async def aclose(self) -> None:
            await close(100.0)

    async def work() -> float:
        with pytest.raises(ValueError, match="broken"):
            await stream_to_channel(
                Hanging(["Hello", ValueError("broken")]), channel, "55", clock=now
            )
        return now()

    assert (run(work()), channel.times()) == (ended, [0.0])


def test_typing_that_cannot_be_ended() -> None:
    """A channel that goes on showing typing is left behind after some seconds."""

    class Deaf(FakeChannel):
        async def typing(self, recipient: str, lasts: float) -> None:
            await super().typing(recipient, lasts)
            await stubborn(100.0)

    channel = Deaf()

    async def work() -> Delivery:
        return await stream_to_channel(FakeStream(["Hello"]), channel, "55", clock=now)

    delivery = run(work())
    assert (delivery.whole, delivery.ended_at, channel.times()) == (True, 2.5, [0.0])
