"""How a delivery ends: failures of the stream, cancellations, arguments; in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from otel_stream.channel import Delivery, stream_to_channel
from tests.channel.fakes import FakeChannel, FakeStream
from tests.channel.virtual import now, run


def deliver(stream: Any, channel: FakeChannel, **options: Any) -> Delivery:
    """Send a stream to its end, in virtual time."""

    async def work() -> Delivery:
        return await stream_to_channel(stream, channel, "55", clock=now, **options)

    return run(work())


def statuses(delivery: Delivery) -> list[str]:
    """What became of the messages."""
    return [message.status for message in delivery.messages]


def test_a_stream_that_fails() -> None:
    """What had been read is sent, then the error is raised; the result says so."""
    channel, reports = FakeChannel(), []
    stream = FakeStream(["One.\n\nTw", ValueError("broken")])

    with pytest.raises(ValueError, match="broken"):
        deliver(stream, channel, report=reports.append)
    assert channel.accepted == ["One.", "Tw"]
    assert (reports[0].whole, reports[0].lost, type(reports[0].error)) == (False, 0, ValueError)
    assert stream.closed


class Stop(BaseException):
    """What a framework raises to end its own work."""


@pytest.mark.parametrize("error", [Stop(), asyncio.CancelledError(), GeneratorExit()])
def test_a_stream_that_raises_what_is_no_exception(error: BaseException) -> None:
    """It is told like any failure, a cancellation that nobody has asked for too."""
    channel, reports = FakeChannel(), []
    stream = FakeStream(["One.\n\nTw", error])

    with pytest.raises(type(error)):
        deliver(stream, channel, typing=False, report=reports.append)
    assert channel.accepted == ["One.", "Tw"]
    assert (reports[0].whole, reports[0].lost, reports[0].error) == (False, 0, error)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_a_program_that_is_ended(error: BaseException) -> None:
    """It ends at once, not when all has been sent, and what was lost is reported."""
    channel, reports = FakeChannel(), []

    with pytest.raises(type(error)):
        deliver(FakeStream(["One.\n\nTw", error]), channel, report=reports.append)
    assert (channel.accepted, reports[0].lost, reports[0].error) == ([], 6, error)


def test_a_stream_that_cannot_begin() -> None:
    """A stream that fails to give an iterator fails as any other."""

    class Broken(FakeStream):
        def __aiter__(self) -> Any:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        deliver(Broken([]), FakeChannel())


def test_a_reader_that_fails() -> None:
    """An error of `read` is treated as one of the stream."""
    channel = FakeChannel()

    with pytest.raises(TypeError, match="read="):
        deliver(FakeStream(["Hello", 5]), channel)
    assert channel.accepted == ["Hello"]


def test_cancelled_while_sending() -> None:
    """What was ready is reported lost, the stream is closed, and no task is left."""
    channel, reports = FakeChannel([0.0, 100.0]), []
    stream = FakeStream(["12345678\n\n"] * 100)

    async def work() -> set[asyncio.Task[Any]]:
        task = asyncio.create_task(
            stream_to_channel(
                stream, channel, "55", clock=now, backlog=24, spacing=0.0, report=reports.append
            )
        )
        await asyncio.sleep(10.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]

    assert run(work()) == set()
    [delivery] = reports
    assert statuses(delivery) == ["accepted", "unknown", "unsent", "unsent", "unsent"]
    assert (delivery.delivered, delivery.lost, delivery.whole) == (8, 32, False)
    assert stream.closed


def test_cancelled_while_reading() -> None:
    """A stream that is being waited for is cancelled too, and what it had said is lost."""
    channel, reports, ended = FakeChannel(), [], []

    async def answer() -> Any:
        try:
            yield "Half a par"
            await asyncio.sleep(1000.0)
        finally:
            ended.append(now())

    async def work() -> None:
        async with asyncio.timeout(5.0):
            await stream_to_channel(answer(), channel, "55", clock=now, report=reports.append)

    with pytest.raises(TimeoutError):
        run(work())
    assert (ended, channel.accepted, reports[0].lost) == ([5.0], [], 10)


@pytest.mark.parametrize(
    "options",
    [{"limit": 1}, {"spacing": -1.0}, {"retries": -1}, {"give_up": 0}, {"backlog": 0}],
)
def test_arguments_that_cannot_be_meant(options: dict[str, Any]) -> None:
    """They are refused at once."""
    with pytest.raises(ValueError, match="at least"):
        deliver(FakeStream([]), FakeChannel(), **options)


def test_what_is_no_stream() -> None:
    """A list is no stream."""
    with pytest.raises(TypeError, match="async iterable"):
        deliver(["Hello"], FakeChannel())
