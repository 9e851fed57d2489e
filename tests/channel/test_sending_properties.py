"""Whatever a channel does, every delta reaches the person or is reported lost, and none twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_stream.channel import ChannelError, Delivery, stream_to_channel
from tests.channel.fakes import FakeChannel, FakeStream, later, refused, unknown
from tests.channel.virtual import now, run

Step = Callable[[], Any]
STEPS: st.SearchStrategy[Step] = st.sampled_from(
    [lambda: None, lambda: 0.3, later, lambda: later(2.0), refused, unknown, ConnectionResetError]
)
WORDS = ["Hello. ", "a", "\n\n", "b c", " ", "👨‍👩‍👧‍👦", "x" * 40, "\ud83d", "\ude00", "End.\n"]
DELTAS = st.lists(st.sampled_from(WORDS) | st.text("abc .\n", max_size=30), max_size=40)


class Unreliable(FakeChannel):
    """Keeps what the person has, also where the sender cannot know: `unknown` was accepted."""

    def __init__(self, script: list[Any]) -> None:
        super().__init__(script)
        self.has: list[str] = []

    async def send(self, recipient: str, text: str) -> str | None:
        try:
            message_id = await super().send(recipient, text)
        except (ChannelError, ConnectionResetError) as error:
            if getattr(error, "unknown", True):
                self.has.append(text)
            raise
        self.has.append(text)
        return message_id


def deliver(deltas: list[Any], channel: FakeChannel, **options: Any) -> Delivery:
    """Send the answer in virtual time; an error of the stream is in the result."""
    reports: list[Delivery] = []

    async def work() -> None:
        try:
            await stream_to_channel(
                FakeStream(deltas, every=0.1),
                channel,
                "55",
                clock=now,
                report=reports.append,
                **options,
            )
        except ValueError:
            pass

    run(work())
    return reports[0]


@given(
    DELTAS,
    st.lists(STEPS, max_size=20),
    st.integers(2, 60),
    st.integers(1, 100),
    st.integers(1, 4),
    st.booleans(),
)
def test_delivered_or_reported_lost(
    deltas: list[Any], steps: list[Step], limit: int, backlog: int, give_up: int, breaks: bool
) -> None:
    """What was read is accepted, lost, or white space at a cut; nobody has a message twice."""
    channel = Unreliable([step() for step in steps])
    options = {"limit": limit, "backlog": backlog, "give_up": give_up, "typing": False}
    delivery = deliver([*deltas, *([ValueError()] if breaks else [])], channel, **options)
    text = "".join(deltas).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    assert delivery.read == len(text) == delivery.delivered + delivery.lost + delivery.dropped
    assert delivery.lost == sum(m.characters for m in delivery.messages if m.status != "accepted")
    assert [m.status for m in delivery.messages].count("accepted") == len(channel.accepted)
    assert len(channel.has) == sum(m.status in ("accepted", "unknown") for m in delivery.messages)
    assert squeezed("".join(channel.has)) in squeezed(text) or delivery.lost
    assert delivery.whole is (delivery.lost == 0 and not breaks)
    assert delivery.lost or squeezed("".join(channel.accepted)) == squeezed(text)


def squeezed(text: str) -> str:
    """*text* without white space."""
    return "".join(text.split())
