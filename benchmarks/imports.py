"""What importing a contender costs beyond OpenTelemetry's API, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable

import environments
from contenders import CONTENDERS, Contender
from pairs import clean_environ

PROGRAM = """
import time, opentelemetry.trace, opentelemetry.metrics, opentelemetry._logs
started = time.perf_counter()
import {module}
print((time.perf_counter() - started) * 1000)
"""


def measure(runs: int, wanted: list[Contender], say: Callable[[str], None]) -> dict[str, float]:
    """Wall milliseconds by contender, the minimum of `runs` processes that take turns."""
    pythons = {}
    for contender in wanted:
        try:
            pythons[contender.name] = environments.python(contender.requirements)
        except environments.InstallError:
            continue  # told where its other measures are
    taken: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(runs + 1):
        for contender in wanted:
            if contender.name in pythons:
                program = PROGRAM.format(module=contender.module)
                taken[contender.name].append(once(str(pythons[contender.name]), program))
    for name, times in taken.items():
        best, middle = min(times[1:]), statistics.median(times[1:])
        say(f"{name}: import {best:.1f} ms (median {middle:.1f})")
    return {name: min(times[1:]) for name, times in taken.items()}


def once(python: str, program: str) -> float:
    """One process."""
    command = [python, "-W", "ignore", "-c", program]
    done = subprocess.run(command, env=clean_environ(), capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else float("nan")


def importable(names: list[str]) -> list[Contender]:
    """Those of the named contenders that are a package of their own."""
    return [one for one in CONTENDERS if one.module and one.name in names]
