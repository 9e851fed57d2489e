"""Measure otel-stream beside others and write `docs/performance.md`.

    python benchmarks/run.py                      # everything; writes the page and its picture
    python benchmarks/run.py --quick              # fewer repeats
    python benchmarks/run.py --only ours,bare     # some contenders; prints the page, writes none
    python benchmarks/run.py --json figures.json  # also every single figure
    python benchmarks/run.py --from figures.json  # writes the page again, measures nothing

Environments are made once in the user's cache (`environments.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import environments
import imports
import report
import runs
from contenders import BY_NAME, CONTENDERS
from outcome import Run
from pairs import clean_environ
from plan import FULL, QUICK, SHORT, Effort, Plan

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "images" / "performance.svg"
SLOWED = 1.1
"""A bare minimum so many times the best one says that the machine was busy all along."""
ALIASES = {"bare": "control"}
IMPORT_RUNS = {False: 15, True: 5}
ACCURACY_STREAMS = {False: 50, True: 10}
AGENT_ROUNDS = {False: 30, True: 5}


def main() -> None:
    """Measure, then write or print."""
    options = arguments()
    if options.told:
        run = Run.from_dict(json.loads(options.told.read_text()))
        return write(run, report.page(run, template(run)))
    effort = QUICK if options.quick else FULL
    names = wanted(options.only)
    run = Run({}, machine=machine(), effort=asdict(effort))
    measure(run, names, effort)
    say("import times")
    listed = imports.importable(names)
    run.imports = imports.measure(IMPORT_RUNS[options.quick], listed, say)
    if "ours" in names:
        run.accuracy = accuracy(ACCURACY_STREAMS[options.quick])
        run.agents = runs.measure(AGENT_ROUNDS[options.quick], say)
    if options.json:
        options.json.write_text(json.dumps(run.as_dict(), indent=1))
    page = report.page(run, template(run))
    if options.only:
        print(page)
    else:
        write(run, page)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one pass, few repeats")
    parser.add_argument("--only", metavar="NAMES", help=f"some of {', '.join(BY_NAME)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure")
    parser.add_argument("--from", metavar="FILE", type=Path, dest="told", help="measure nothing")
    return parser.parse_args()


def wanted(only: str | None) -> list[str]:
    """Names of the contenders that take part, in the order of the tables."""
    every = [contender.name for contender in CONTENDERS]
    if not only:
        return every
    asked = {ALIASES.get(name.strip(), name.strip()) for name in only.split(",")}
    if unknown := asked - set(every):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; known: bare, {', '.join(every)}")
    return [name for name in every if name in asked]


def measure(run: Run, names: list[str], effort: Effort) -> None:
    """All passes over all contenders."""
    logs = environments.cache() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    plans = [Plan(BY_NAME[name], effort, speaker(name), logs) for name in names]
    for number in range(effort.passes):
        say(f"pass {number + 1} of {effort.passes}")
        for plan in plans:
            plan.run()
    for number in range(effort.extra):
        if not (slow := slowed(plans)):
            break
        say(f"extra pass {number + 1} for those that only met a slowed machine: {len(slow)}")
        for plan in slow:
            plan.run()
    run.results = {plan.contender.name: plan.result for plan in plans}


def slowed(plans: list[Plan]) -> list[Plan]:
    """Those beside which even the bare SDK was never as fast as beside others."""
    best: dict[tuple[str, str], float] = {}
    for plan in plans:
        for key, bare in plan.bare_minima():
            best[key] = min(bare, best.get(key, bare))
    return [
        plan for plan in plans if any(bare > best[key] * SLOWED for key, bare in plan.bare_minima())
    ]


def accuracy(streams: int) -> list[dict[str, Any]]:
    """The scenarios of `accuracy.py`, one by one as they come."""
    say(f"accuracy of our times, {streams} streams a scenario")
    try:
        python = environments.python(environments.CHECKOUT)
    except environments.InstallError:
        return []
    command = [str(python), str(HERE / "accuracy.py"), str(streams)]
    found = []
    with subprocess.Popen(
        command, env=clean_environ(), stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            one = json.loads(line)
            errors = ", ".join(f"{name} {value:+.1%}" for name, value in one["error"].items())
            say(f"{one['library']:9} {one['loop']:9} {one['scenario']}: {errors}")
            found.append(one)
    return found


def template(run: Run) -> str:
    """The page's words, with the few facts that are no tables."""
    versions: dict[str, str] = {}
    for result in run.results.values():
        versions.update(result.versions)
    streams = str(run.accuracy[0]["streams"]) if run.accuracy else "no"
    rounds = str(run.agents.get("rounds", "no"))
    facts = {"short": str(SHORT), "accuracy_streams": streams, "agent_rounds": rounds}
    facts |= {
        name: versions.get(name, "?") for name in ("openai", "anthropic", "opentelemetry-sdk")
    }
    words = (HERE / "performance.template.md").read_text()
    for name, fact in facts.items():
        words = words.replace("{{" + name + "}}", fact)
    return words


def write(run: Run, page: str) -> None:
    """The page and its picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page)
    PICTURE.write_text(report.plot(run))
    say(f"wrote {PAGE.relative_to(HERE.parent)} and {PICTURE.relative_to(HERE.parent)}")


def machine() -> str:
    """As little as one needs to judge the figures."""
    major, minor, _ = platform.python_version_tuple()
    cores = os.cpu_count()
    return f"{cores} shared cores, {platform.python_implementation()} {major}.{minor}"


def say(text: str) -> None:
    """Progress, with the seconds since the start."""
    print(f"{time.perf_counter() - STARTED:6.0f} s  {text}", flush=True)


def speaker(name: str) -> Callable[[str], None]:
    """Progress of one contender."""
    return lambda text: say(f"{name:13} {text}")


STARTED = time.perf_counter()

if __name__ == "__main__":
    main()
