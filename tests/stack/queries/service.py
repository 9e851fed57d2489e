"""A service of ours with streams of its own, run by the tests as a program of its own.

What it sends, and by which names, its variables say: `OTEL_METRICS_EXPORTER=none` makes it one that
sends only traces.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import otel_stream
from otel_stream.delta import Finish, Found, Text, Usage


def pieces(*, stall: float = 0.0, fail: bool = False, whole: bool = True) -> Iterator[str]:
    """An answer in four pieces and an end."""
    for number in range(4):
        time.sleep(stall if number == 2 else 0.01)
        yield f"piece {number} "
    if fail:
        raise ConnectionError("the line is cut")
    if whole:
        yield "END"


def read(piece: str) -> Found:
    """What a piece says."""
    return [Usage(input=9, output=4), Finish("stop")] if piece == "END" else Text(piece)


def stream(**how: float | bool) -> None:
    """One answer, read to its end."""
    answer = otel_stream.trace_stream(
        pieces(**how),  # type: ignore[arg-type]
        provider="own",
        model="own-model",
        read=read,
        terminal=lambda piece: piece == "END",
    )
    with contextlib.suppress(ConnectionError):
        for _ in answer:
            pass


otel_stream.instrument(only=[], stall_after=0.1)
for _ in range(2):
    stream()
stream(stall=0.3)
stream(fail=True)
stream(whole=False)
otel_stream.shutdown()
