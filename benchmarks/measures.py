"""What is measured in a process: each function does it once and returns plain numbers.

CPU is that of the whole process, background threads included (`time.process_time_ns`), until all
telemetry of the stream has been exported to nowhere.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns, process_time_ns
from typing import Any

from activation import Active
from answers import EVENTS
from replay import Replay
from workload import Workload

WARM = 10
"""Chunks read before the first look at the memory."""


class Timer:
    """CPU and wall clock of a block, in ns."""

    def __enter__(self) -> Timer:
        gc.collect()
        self.wall, self.cpu = perf_counter_ns(), process_time_ns()
        return self

    def __exit__(self, *exception: object) -> None:
        self.cpu = process_time_ns() - self.cpu
        self.wall = perf_counter_ns() - self.wall

    def per(self, count: int) -> dict[str, float]:
        """The numbers for one of `count`, in microseconds."""
        return {"cpu": self.cpu / count / 1000, "wall": self.wall / count / 1000}


def loop(workload: Workload, active: Active, replay: Replay) -> dict[str, float]:
    """One `for` loop over a stream, to its end; per chunk."""
    stream = workload.open()
    count = 0
    with Timer() as timer:
        for _ in active.wrap(stream):
            count += 1
        active.settle()
    return timer.per(checked(count, replay))


def async_loop(workload: Workload, active: Active, replay: Replay) -> dict[str, float]:
    """One `async for` loop over a stream, to its end; per chunk."""

    async def read() -> dict[str, float]:
        stream = await workload.open_async()
        count = 0
        with Timer() as timer:
            async for _ in active.async_wrap(stream):
                count += 1
            active.settle()
        return timer.per(checked(count, replay))

    return asyncio.run(read())


def calls(workload: Workload, active: Active, replay: Replay, count: int) -> dict[str, float]:
    """`count` short streams from call to end; per stream."""
    with Timer() as timer:
        for _ in range(count):
            for _ in active.wrap(workload.open()):
                pass
        active.settle()
    return timer.per(count)


def memory(
    workload: Workload, active: Active, replay: Replay, marks: tuple[int, ...]
) -> dict[str, float]:
    """Bytes that an open stream holds after so many chunks, counted from its first few."""
    held: dict[str, float] = {}
    tracemalloc.start()
    start = 0
    for index, _ in enumerate(active.wrap(workload.open()), 1):
        if index == WARM:
            start = traced()
        elif index in marks:
            held[str(index)] = traced() - start
    tracemalloc.stop()
    return held


def traced() -> int:
    """Bytes in use that were allocated since tracing began."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def checked(count: int, replay: Replay) -> int:
    """The count, if every chunk arrived.

    Raises:
        RuntimeError: The contender changed what the program reads.
    """
    if replay.chunks is not None and count != len(replay.chunks):
        raise RuntimeError(f"{count} of {len(replay.chunks)} chunks arrived")
    return count


class Bench:
    """All measures of one process, for the libraries it has."""

    def __init__(self, active: Active, replay: Replay, workloads: dict[str, Workload]) -> None:
        self.active = active
        self.replay = replay
        self.workloads = workloads
        self.chunks: dict[tuple[str, int], list[Any]] = {}

    def run(self, request: dict[str, Any]) -> dict[str, float]:
        """Do what a request asks: `measure`, `library`, `pieces` and the measure's own."""
        library, pieces = request["library"], request["pieces"]
        workload = self.workloads[library]
        parse = request["measure"] in ("parse", "memory")
        self.replay.events = EVENTS[library](pieces if parse else 1)
        self.replay.chunks = None if parse else self.chunks[library, pieces]
        return self.measure(request)(workload, self.active, self.replay)

    def measure(self, request: dict[str, Any]) -> Callable[..., dict[str, float]]:
        """The function of a request."""
        name = request["measure"]
        if name == "calls":
            return partial(calls, count=request["count"])
        if name == "memory":
            return partial(memory, marks=tuple(request["marks"]))
        return {"loop": loop, "parse": loop, "async": async_loop}[name]
