"""The same bodies ended too soon: by a clean end of the body, at event boundaries and anywhere."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from otel_stream.testing import Captured, ProviderServer, Script, Send

from .answer import Answer
from .calling import ASYNC_WAYS, SYNC_WAYS, client_for
from .oracle import Reading, ends_of_events, read
from .recording import Recording, recordings

pytestmark = [
    pytest.mark.sdk_matrix,
    pytest.mark.filterwarnings("ignore:The model:DeprecationWarning"),
]
MOST_BOUNDARIES = 120
RANDOM_CUTS = 40
MOST_BYTES = 2_000_000
"""Of a large body fewer cuts are made, so that no more than these are replayed in one test."""
STREAMS = [one for one in recordings() if one.is_stream]
every_stream = pytest.mark.parametrize("recording", STREAMS, ids=lambda recording: recording.name)


def boundaries_of(recording: Recording) -> list[int]:
    """Every end of an event; of very many the first, the last, and some between."""
    ends = [0, *ends_of_events(recording.body)]
    if len(ends) <= MOST_BOUNDARIES:
        return ends
    between = Random(recording.name).sample(ends[10:-5], affordable(recording, 40))
    return [*ends[:10], *sorted(between), *ends[-5:]]


def cuts_of(recording: Recording, count: int = RANDOM_CUTS) -> list[int]:
    """Any bytes, the same in each run."""
    random = Random(recording.name)
    return [random.randrange(len(recording.body)) for _ in range(affordable(recording, count))]


def affordable(recording: Recording, count: int) -> int:
    return min(count, 3 + MOST_BYTES // len(recording.body))


def script_of(recording: Recording, end: int) -> Script:
    return Script([Send(recording.body[:end])], recording.status, recording.headers)


def said_by_span(answer: Answer) -> tuple[Any, ...]:
    return answer.outcome, answer.chunks, answer.texts, answer.reasoning, answer.size


def said_by_wire(reading: Reading) -> tuple[Any, ...]:
    outcome = reading.outcome("truncated")
    return outcome, reading.chunks, reading.texts, reading.reasoning, reading.size


def told_of(recording: Recording, end: int) -> tuple[Any, ...]:
    return said_by_wire(read(recording.api, recording.body[:end], recording.choices))


def read_up_to(
    way: str, recording: Recording, ends: Sequence[int], server: ProviderServer, captured: Captured
) -> list[tuple[Any, ...]]:
    """For each end, what the span of a call says whose answer ends there."""
    found = []
    with client_for(recording, server.url) as client:
        for end in ends:
            server.script(None, script_of(recording, end))
            with suppress(Exception):  # the SDK's, for an error event or half a letter
                deque(SYNC_WAYS[way](client, recording), 0)
            found.append(said_by_span(Answer(captured.span())))
            captured.clear()
    return found


@every_stream
def test_cut_at_event_boundaries(
    recording: Recording, server: ProviderServer, captured: Captured
) -> None:
    """Cut behind any event, the span says what the wire says so far."""
    ends = boundaries_of(recording)
    found = read_up_to("create", recording, ends, server, captured)

    assert found == [told_of(recording, end) for end in ends]


@every_stream
def test_cut_anywhere(recording: Recording, server: ProviderServer, captured: Captured) -> None:
    """Cut at any byte, the event that is not whole counts for nothing."""
    ends = cuts_of(recording)
    found = read_up_to("create", recording, ends, server, captured)

    assert found == [told_of(recording, end) for end in ends]


@every_stream
@pytest.mark.parametrize("way", ["lines", "in_bytes"])
def test_cut_anywhere_read_raw(
    recording: Recording, way: str, server: ProviderServer, captured: Captured
) -> None:
    """It is the same when the application reads the bytes itself."""
    ends = cuts_of(recording, RANDOM_CUTS // 4)
    found = read_up_to(way, recording, ends, server, captured)

    assert found == [told_of(recording, end) for end in ends]


@every_stream
def test_cut_anywhere_async(
    recording: Recording, server: ProviderServer, captured: Captured
) -> None:
    """It is the same for an async reader."""
    ends = cuts_of(recording, RANDOM_CUTS // 2)
    found = []

    async def read_up_to(client: Any, end: int) -> None:
        server.script(None, script_of(recording, end))
        async for _ in ASYNC_WAYS["acreate"](client, recording):
            pass

    async def main() -> None:
        async with client_for(recording, server.url, asynchronous=True) as client:
            for end in ends:
                with suppress(Exception):  # as above
                    await read_up_to(client, end)
                found.append(said_by_span(Answer(captured.span())))
                captured.clear()

    asyncio.run(main())

    assert found == [told_of(recording, end) for end in ends]
