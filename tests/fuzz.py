"""A fuzzer: mutated events of all four APIs through every way into a recorder, spans into files.

    python -m tests.fuzz --count 1000000 --seed 7

Nothing of ours may raise, no chunk may be changed, each stream ends once, and what is exported is
valid: see `fuzzing/checks.py`.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import otel_stream
from otel_stream import errors

from .fuzzing.checks import Checks
from .fuzzing.corpus import CORPUS
from .fuzzing.lines import lines
from .fuzzing.mutation import Mutator
from .fuzzing.paths import PATHS

__all__ = ["Fuzz", "main"]

WAYS = {**PATHS, "lines": lines}
SHARES = {"objects": 10, "bytes": 10, "answers": 4, "sdk": 2, "lines": 2}
"""How often each way is taken."""
_COLLECT_EVERY = 500
Progress = Callable[[int], None]


class Fuzz:
    """One run.

    Args:
        seed: Names the run: each stream has a seed of its own, made of it and the stream's number.
        checks: What has to hold.
    """

    def __init__(self, seed: int, checks: Checks) -> None:
        self._seed = seed
        self._checks = checks
        self.events: Counter[str] = Counter()
        self.streams = 0

    def run(self, count: int, progress: Progress = lambda _: None) -> None:
        """Put at least `count` events through.

        Raises:
            Exception: What a stream went wrong with, with a note that names the stream.
        """
        while self.events.total() < count:
            self.one(self.streams)
            self.streams += 1
            if self.streams % _COLLECT_EVERY == 0:
                gc.collect()
            progress(self.events.total())
        self._checks.metrics()

    def one(self, number: int) -> None:
        """Run the stream with that number."""
        chance = random.Random(f"{self._seed}-{number}")
        api = chance.choice(list(CORPUS))
        [path] = chance.choices(list(SHARES), list(SHARES.values()))
        errors.strict = chance.random() < 0.5
        try:
            self.events[path] += WAYS[path](api, Mutator(chance), self._checks)
        except BaseException as error:
            error.add_note(f"seed {self._seed}, stream {number}: {api}, {path}")
            raise
        finally:
            errors.strict = False


@contextmanager
def prepared() -> Iterator[Checks]:
    """The SDKs instrumented, with content captured, and the checks at the other end."""
    with Checks() as checks:
        otel_stream.uninstrument()
        otel_stream.instrument(
            tracer_provider=checks.tracer_provider,
            meter_provider=checks.meter_provider,
            capture_content=True,
        )
        try:
            yield checks
        finally:
            otel_stream.uninstrument()


def shown(count: int, began: float) -> Progress:
    """Shows progress on stderr: a line that is renewed, or in a pipe now and then a new one."""
    every = 0.2 if sys.stderr.isatty() else 20.0
    last = began

    def show(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < every and done < count:
            return
        last = now
        text = f"{min(done / count, 1):4.0%}  {done:,} events  {done / (now - began):,.0f}/s"
        end = "\r" if sys.stderr.isatty() and done < count else "\n"
        print(text, end=end, file=sys.stderr, flush=True)

    return show


def main(arguments: list[str] | None = None) -> int:
    """Run by the command line's arguments. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="events, at least")
    parser.add_argument("--seed", type=int, default=None, help="names the run; else by chance")
    given = parser.parse_args(arguments)
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", file=sys.stderr)
    began = time.monotonic()
    with prepared() as checks:
        fuzz = Fuzz(seed, checks)
        try:
            fuzz.run(given.count, shown(given.count, began))
        except Exception:  # noqa: BLE001 - the finding, told and turned into the exit status
            traceback.print_exc()
            return 1
    ways = ", ".join(f"{count:,} as {way}" for way, count in sorted(fuzz.events.items()))
    ends = ", ".join(f"{count:,} {outcome}" for outcome, count in checks.outcomes.items())
    print(f"{fuzz.events.total():,} events ({ways}) in {fuzz.streams:,} streams: {ends}")
    print(f"no fault in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
