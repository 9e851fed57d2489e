"""`stream_to_channel`: order, spacing, retries and bounds, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from otel_stream.channel import Delivery, stream_to_channel
from tests.channel.fakes import FakeChannel, FakeStream, later, refused, unknown
from tests.channel.virtual import now, run

THREE = ["One.\n", "\nTwo", ".\n\nThr", "ee."]


def deliver(stream: Any, channel: FakeChannel, **options: Any) -> Delivery:
    """Send a stream to its end, in virtual time."""

    async def work() -> Delivery:
        return await stream_to_channel(stream, channel, "55", clock=now, **options)

    return run(work())


def statuses(delivery: Delivery) -> list[str]:
    """What became of the messages."""
    return [message.status for message in delivery.messages]


def test_an_answer_arrives() -> None:
    """Paragraphs arrive as messages, in order, and the result says so."""
    channel = FakeChannel(takes=0.1)
    delivery = deliver(FakeStream(THREE), channel)

    assert channel.accepted == ["One.", "Two.", "Three."]
    assert [(m.id, m.status, m.characters, m.attempts) for m in delivery.messages] == [
        ("id-1", "accepted", 4, 1),
        ("id-2", "accepted", 4, 1),
        ("id-3", "accepted", 6, 1),
    ]
    assert (delivery.whole, delivery.delivered, delivery.lost, delivery.dropped) == (True, 14, 0, 4)


def test_messages_are_sent_while_the_answer_is_made() -> None:
    """The first message leaves when its paragraph ends, not at the end of the stream."""
    channel = FakeChannel()
    delivery = deliver(FakeStream(THREE, every=10.0), channel, typing=False)

    assert channel.times() == [20.0, 30.0, 50.0]
    assert (delivery.first_text_at, delivery.first_accepted_at) == (10.0, 20.0)
    assert (delivery.last_accepted_at, delivery.ended_at) == (50.0, 50.0)


def test_spacing() -> None:
    """There is a distance between the end of one message and the next."""
    channel = FakeChannel(takes=0.25)
    deliver(FakeStream(THREE), channel, spacing=1.0, typing=False)

    assert channel.times() == [0.0, 1.25, 2.5]


def test_typing_while_text_is_made() -> None:
    """Typing is shown at once and again before it runs out, not while sending, and then stopped."""
    channel = FakeChannel(takes=1.0)
    deliver(FakeStream(["a", "b.\n\n", "c", "d"], every=9.0), channel)

    assert channel.log == [
        (0.0, "typing", 10.0),
        (8.0, "typing", 10.0),
        (16.0, "typing", 10.0),
        (18.0, "send", "ab."),
        (19.5, "typing", 10.0),
        (27.5, "typing", 10.0),
        (35.5, "typing", 10.0),
        (43.5, "typing", 10.0),
        (45.0, "send", "cd"),
        (46.0, "typing", 0.0),
    ]


def test_typing_that_fails_matters_to_nobody() -> None:
    """A channel that cannot show typing is not asked for ever, and the answer arrives."""

    class Rude(FakeChannel):
        async def typing(self, recipient: str, lasts: float) -> None:
            await super().typing(recipient, lasts)
            raise RuntimeError("no")

    channel = Rude()
    delivery = deliver(FakeStream(["a"] * 10, every=10.0), channel)

    assert (delivery.whole, len(channel.times("typing"))) == (True, 3)


def test_typing_while_a_message_waits_for_its_retry() -> None:
    """A person who waits for a message sees that it is coming; one who gets none sees nothing."""
    waiting, hopeless = FakeChannel([later(5.0)]), FakeChannel([refused()])
    deliver(FakeStream(["Hello"]), waiting)
    deliver(FakeStream(["a\n\n", "b", "c"], every=9.0), hopeless, give_up=1)

    assert [what for _, what, _ in waiting.log] == ["typing", "send", "typing", "send", "typing"]
    assert hopeless.times("typing") == [0.0, 8.0, 36.0]


@pytest.mark.parametrize(("takes", "ended"), [(0.0, 6.0), (9.0, 6.0), (1000.0, 8.0)])
def test_typing_that_takes_long_delays_no_message(takes: float, ended: float) -> None:
    """Some servers answer only when what they show has run out; one that never does costs 2 s."""

    class Slow(FakeChannel):
        async def typing(self, recipient: str, lasts: float) -> None:
            await super().typing(recipient, lasts)
            await asyncio.sleep(min(lasts * 10, takes) if takes < 1000.0 else takes)

    channel = Slow()
    delivery = deliver(FakeStream(["a.\n\n", "b"], every=2.0), channel)

    assert (channel.times(), delivery.whole, delivery.ended_at) == ([2.0, 6.0], True, ended)


def test_retry() -> None:
    """What was certainly not accepted is sent again, later each time, and order is kept."""
    channel = FakeChannel([later(), later(), later()])
    delivery = deliver(FakeStream(THREE), channel, spacing=0.0, typing=False)
    first, second, third, fourth = channel.times()[:4]

    assert channel.accepted == ["One.", "Two.", "Three."]
    assert [m.attempts for m in delivery.messages] == [4, 1, 1]
    assert 0.25 <= second - first <= 0.5 <= third - second <= 1.0 <= fourth - third <= 2.0


def test_retry_after() -> None:
    """The channel's own time to wait is kept."""
    channel = FakeChannel([later(7.0)])
    deliver(FakeStream(["Hello"]), channel, typing=False)

    assert 7.0 <= channel.times()[1] <= 7.25


def test_nobody_waits_an_hour() -> None:
    """A channel that says to come back in an hour has lost the message."""
    delivery = deliver(FakeStream(["Hello"]), FakeChannel([later(3600.0)]), typing=False)

    assert (statuses(delivery), delivery.ended_at) == (["refused"], 0.0)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (unknown(), "unknown"),
        (TimeoutError(), "unknown"),
        (ConnectionResetError(), "unknown"),
        (RuntimeError("a bug"), "unknown"),
        (refused(), "refused"),
    ],
)
def test_what_may_have_arrived_is_not_sent_again(error: Exception, status: str) -> None:
    """It is reported lost, and the answer goes on with the next message."""
    channel = FakeChannel([error])
    delivery = deliver(FakeStream(THREE), channel)

    assert [text for _, what, text in channel.log if what == "send"] == ["One.", "Two.", "Three."]
    assert statuses(delivery) == [status, "accepted", "accepted"]
    assert (delivery.whole, delivery.lost, delivery.delivered) == (False, 4, 10)
    assert delivery.unknown == (4 if status == "unknown" else 0)


def test_retries_end() -> None:
    """After so many retries a message is lost."""
    channel = FakeChannel([ConnectionRefusedError()] * 9)
    delivery = deliver(FakeStream(["Hello"]), channel, retries=2)

    assert (len(channel.times()), statuses(delivery)) == (3, ["refused"])


def test_giving_up() -> None:
    """After some failures in a row the rest is reported lost; the stream is read to its end."""
    channel = FakeChannel([refused(), None, refused(), refused()])
    stream = FakeStream([f"{n}.\n\n" for n in range(10)])
    delivery = deliver(stream, channel, give_up=2)

    assert statuses(delivery) == ["refused", "accepted", "refused", "refused", *["unsent"] * 6]
    assert (delivery.lost, stream.read) == (18, 10)


def test_read() -> None:
    """Items of any kind can be read."""
    channel = FakeChannel()
    deliver(FakeStream([{"t": "Hel"}, {"t": None}, {"t": "lo"}]), channel, read=lambda i: i["t"])

    assert channel.accepted == ["Hello"]


def test_back_pressure() -> None:
    """A stream is not read while too much waits, and for how long is measured."""
    channel = FakeChannel(takes=1.0)
    stream = FakeStream(["12345678\n\n"] * 6)
    delivery = deliver(stream, channel, backlog=16, spacing=0.0)

    assert channel.times() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert delivery.back_pressure == 4.0
    assert delivery.whole


def test_memory_is_bounded() -> None:
    """No more is read than fits into the backlog and the message that is being cut."""

    class Watching(FakeChannel):
        most = 0

        async def send(self, recipient: str, text: str) -> str | None:
            accepted = await super().send(recipient, text)
            self.most = max(self.most, stream.read * 10 - len(self.accepted) * 10)
            return accepted

    stream = FakeStream(["12345678\n\n"] * 500)
    channel = Watching(takes=0.1)
    deliver(stream, channel, backlog=80, spacing=0.0)

    assert (len(channel.accepted), channel.most <= 120) == (500, True)


def test_the_loop_is_not_blocked() -> None:
    """Other tasks of the loop go on while messages are sent."""
    ticks = []

    async def work() -> None:
        async def tick() -> None:
            while True:
                ticks.append(now())
                await asyncio.sleep(0.1)

        ticking = asyncio.create_task(tick())
        await stream_to_channel(FakeStream(THREE), FakeChannel(takes=1.0), "55", clock=now)
        ticking.cancel()

    run(work())
    assert len(ticks) >= 39


def test_nothing_said() -> None:
    """An answer of nothing is whole, and no message."""
    channel = FakeChannel()
    delivery = deliver(FakeStream(["", " \n\n "]), channel)

    assert (delivery.whole, delivery.messages, delivery.dropped) == (True, [], 4)
