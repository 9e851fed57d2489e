"""Where our time goes: `python benchmarks/profile_chunk.py [openai|anthropic] [--stream]`.

Without `--stream`: what a chunk costs, from the bare loop to the whole of us, and our steps one by
one, all over the same replayed chunks. With it: a profile of short streams from call to
end, by `cProfile`; its own cost is in the figures, so only their order tells.

Runs in an environment that has this checkout and the SDKs, such as `.venv`.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
from collections.abc import Callable, Iterable
from itertools import islice, repeat
from typing import Any

os.environ.setdefault("ANTHROPIC_OPEN_TELEMETRY", "false")  # before the SDK reads it

import activation
from activation import timed, timed_and_kept
from measures import Timer
from replay import Replay
from workload import LIBRARIES, Workload, connect, install, parse

PIECES = 4000
REPEATS = 41
CALLS = 400
Steps = list[Callable[[], object]]
"""What is timed."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", nargs="?", default="openai", choices=LIBRARIES)
    parser.add_argument("--stream", action="store_true", help="profile short streams instead")
    options = parser.parse_args()
    replay = Replay()
    install(options.library, replay)
    chunks = parse(options.library, replay, 3 if options.stream else PIECES)
    replay.chunks = chunks
    gc.freeze()
    if options.stream:
        profile_streams(options.library, replay)
    else:
        profile_chunks(options.library, replay, chunks)


def profile_chunks(library: str, replay: Replay, chunks: list[Any]) -> None:
    """The bare loop, the least one can do, the whole of us, and our steps one by one."""
    bare, count = connect(library, replay), len(chunks)
    floor = best(count, lambda: drain(bare.open()))
    show("bare SDK", floor)
    show("two clock reads", best(count, lambda: drain(timed(bare.open()))), floor)
    show("the same, waits kept", best(count, lambda: drain(timed_and_kept(bare.open()))), floor)
    active = activation.ours()
    ours = connect(library, replay)
    show("otel-stream", best(count, lambda: [*drain(ours.open()), active.settle]), floor)
    show("  reading all chunks but the last", best(count, lambda: most(ours, count)), floor)
    show("  the last one and the end", best(count, lambda: rest(ours, count)))
    show("  settling", best(count, lambda: settle(ours, active.settle)))
    show("  Recorder.feed alone", best(count, lambda: feed(ours, chunks)))
    show("  the reader's read alone", best(count, lambda: seen(ours, chunks)))


def show(name: str, value: float, floor: float | None = None) -> None:
    """One line, in ns a chunk."""
    added = "" if floor is None else f"  {value - floor:+8.1f} added"
    print(f"{name:34} {value:8.1f} ns a chunk{added}")


def best(chunks: int, prepare: Callable[[], Steps]) -> float:
    """The least CPU of the steps that `prepare` makes, in ns for each of `chunks`."""
    taken = []
    for _ in range(REPEATS):
        steps = prepare()
        with Timer() as timer:
            for step in steps:
                step()
        taken.append(timer.cpu / chunks)
    return min(taken)


def drain(stream: Iterable[Any], holding: object = None) -> Steps:
    """Read to the end, while something else is held that would end if it were dropped."""

    def read(holding: object = holding) -> None:
        for _ in stream:
            pass

    return [read]


def most(workload: Workload, count: int) -> Steps:
    """Read all but the last; the stream is left open, and dropped after the clock has stopped."""
    chunks = iter(workload.open())
    return drain(islice(chunks, count - 1))


def rest(workload: Workload, count: int) -> Steps:
    """Read the last one and meet the end."""
    chunks = iter(workload.open())
    for _ in islice(chunks, count - 1):
        pass
    return drain(chunks)


def settle(workload: Workload, act: Callable[[], object]) -> Steps:
    """Wait for all that a stream leaves to background threads and exporters."""
    for _ in workload.open():
        pass
    return [act]


def feed(workload: Workload, chunks: list[Any]) -> Steps:
    """Feed a recorder chunks that all came at once; a map adds as little as possible of its own."""
    stream = workload.open()
    recorder = stream._iterator.recorder
    now = recorder.clock()
    return drain(map(recorder.feed, chunks, repeat(now), repeat(now + 1e-5)), stream)


def seen(workload: Workload, chunks: list[Any]) -> Steps:
    """Turn chunks into deltas."""
    stream = workload.open()
    return drain(map(stream._iterator.recorder._reader.read, chunks), stream)


def profile_streams(library: str, replay: Replay) -> None:
    """Where the time of short streams goes, from call to end."""
    active = activation.ours()
    workload = connect(library, replay)
    for _ in range(20):
        list(workload.open())
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(CALLS):
        for _ in workload.open():
            pass
    active.settle()
    profiler.disable()
    stats = pstats.Stats(profiler).strip_dirs()
    stats.sort_stats("cumulative").print_stats(60)
    stats.sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
