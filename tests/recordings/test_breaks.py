"""The same bodies, broken off: by the network after any byte, by the reader after any chunk."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import aclosing, closing, suppress
from itertools import islice
from random import Random
from typing import Any

import pytest

from otel_stream.testing import Captured, Cut, ProviderServer, Reset, Script, Send, WaitFor

from .answer import Answer
from .calling import ASYNC_WAYS, SYNC_WAYS, client_for
from .oracle import Reading, ends_of_events, read
from .recording import Recording, recordings

pytestmark = [
    pytest.mark.sdk_matrix,
    pytest.mark.filterwarnings("ignore:The model:DeprecationWarning"),
]
STREAMS = [one for one in recordings() if one.is_stream]
every_stream = pytest.mark.parametrize("recording", STREAMS, ids=lambda recording: recording.name)
BREAKS = {"reset": Reset(), "cut": Cut()}


def places_of(recording: Recording, count: int = 6) -> list[int]:
    """Offsets at which the network fails: half of them behind an event, the same in each run."""
    random = Random(recording.name)
    ends = ends_of_events(recording.body)
    behind = random.sample(ends, min(count // 2, len(ends)))
    return sorted([*behind, ends[-1], *(random.randrange(len(recording.body)) for _ in behind)])


def so_far(recording: Recording, end: int) -> Reading:
    return read(recording.api, recording.body[:end], recording.choices)


def said(answer: Answer) -> tuple[Any, ...]:
    return answer.outcome, answer.chunks, answer.texts


def expected(recording: Recording, ends: list[int]) -> list[tuple[Any, ...]]:
    readings = [so_far(recording, end) for end in ends]
    return [(one.outcome("error"), one.chunks, one.texts) for one in readings]


def script_of(recording: Recording, end: int, ending: str) -> tuple[Script, threading.Event]:
    """An answer that breaks off after `end` bytes, once the reader has read what they hold."""
    has_read = threading.Event()
    steps = [Send(recording.body[:end]), WaitFor(has_read), BREAKS[ending]]
    return Script(steps, recording.status, recording.headers), has_read


@every_stream
@pytest.mark.parametrize("ending", BREAKS)
def test_connection_breaks(
    recording: Recording, ending: str, server: ProviderServer, captured: Captured
) -> None:
    """A broken connection is an error, unless the answer was whole by then; the text is kept."""
    ends, found = places_of(recording), []

    def read_up_to(client: Any, end: int) -> None:
        script, has_read = script_of(recording, end, ending)
        server.script(None, script)
        with closing(SYNC_WAYS["create"](client, recording)) as stream:
            for _ in range(so_far(recording, end).chunks):
                next(stream)
            has_read.set()
            deque(stream, 0)

    with client_for(recording, server.url) as client:
        for end in ends:
            with suppress(Exception):  # httpx's or the SDK's
                read_up_to(client, end)
            found.append(said(Answer(captured.span())))
            captured.clear()

    assert found == expected(recording, ends)


@every_stream
def test_connection_breaks_async(
    recording: Recording, server: ProviderServer, captured: Captured
) -> None:
    """It is the same for an async reader."""
    ends, found = places_of(recording), []

    async def read_up_to(client: Any, end: int) -> None:
        script, has_read = script_of(recording, end, "reset")
        server.script(None, script)
        stream: Any = ASYNC_WAYS["acreate"](client, recording)
        async with aclosing(stream):
            for _ in range(so_far(recording, end).chunks):
                await anext(stream)
            has_read.set()
            async for _ in stream:
                pass

    async def main() -> None:
        async with client_for(recording, server.url, asynchronous=True) as client:
            for end in ends:
                with suppress(Exception):  # httpx's or the SDK's
                    await read_up_to(client, end)
                found.append(said(Answer(captured.span())))
                captured.clear()

    asyncio.run(main())

    assert found == expected(recording, ends)


def counts_of(recording: Recording) -> list[int]:
    """After how many chunks the reader stops: at the ends, and somewhere between."""
    most = read(recording.api, recording.body, recording.choices).chunks
    random = Random(recording.name)
    return sorted({1, 2, most - 1, most, *(random.randint(1, most) for _ in range(4))} - {0})


@every_stream
def test_reader_breaks(recording: Recording, server: ProviderServer, captured: Captured) -> None:
    """A reader that stops has closed early, or has completed if it had the terminal event."""
    counts, found = counts_of(recording), []
    script = Script([Send(recording.body)], recording.status, recording.headers)
    with client_for(recording, server.url) as client:
        for count in counts:
            server.script(None, script)
            with closing(SYNC_WAYS["create"](client, recording)) as stream:
                deque(islice(stream, count), 0)
            found.append(said(Answer(captured.span())))
            captured.clear()
    readings = [read(recording.api, recording.body, recording.choices, n) for n in counts]

    assert found == [(one.outcome("closed_early"), one.chunks, one.texts) for one in readings]
