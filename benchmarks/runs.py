"""What events of agents' runs cost: has two scripts measure it, and makes their tables."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import environments
from pairs import clean_environ
from tables import number, table

HERE = Path(__file__).resolve().parent
LOOPS = {"sync_loop": "`for`", "async_loop": "`async for`"}
KINDS = {"own": "its own", "member": "of a team's member"}


def measure(rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures of both, or none where their environment cannot be made."""
    say(f"events of agents' runs, {rounds} rounds")
    try:
        python = environments.python(environments.AGENTS)
    except environments.InstallError as error:
        say(f"left out: {error}")
        return {}
    process = json.loads("".join(_lines(python, "agents_inprocess.py", rounds)))
    wires = [json.loads(line) for line in _lines(python, "agents_http.py", rounds)]
    for what, figure in events({"process": process, "wires": wires}):
        say(f"{what}: {figure:.2f} us")
    return {"rounds": rounds, "process": process, "wires": wires}


def _lines(python: Path, script: str, rounds: int) -> list[str]:
    command = [str(python), str(HERE / script), str(rounds)]
    done = subprocess.run(
        command, env=clean_environ(), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


def events(agents: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """What was measured of one event each, in microseconds."""
    for name, figures in agents.get("process", {}).items():
        loop, kind = name.split()
        yield f"Agno's run in the process, {KINDS[kind]}, {LOOPS[loop]}", figures["added"]
    for wire in agents.get("wires", ()):
        yield f"Agno's run over HTTP, {wire['wire']}", wire["event us"]


def tables(agents: dict[str, Any]) -> str:
    """Both tables; a word where nothing was measured."""
    if not agents:
        return "Not measured in this run."
    costs = table(
        ["event", "µs added"], ([what, number(figure)] for what, figure in events(agents))
    )
    sizes = [name for name in agents["wires"][0] if name.endswith("MB")]
    rows = [
        [f"{wire['wire']}: {what}", *(number(wire[size][key], 1) for size in sizes)]
        for wire in agents["wires"]
        for what, key in (("parser alone", "parser ms"), ("all told", "all ms"))
    ]
    return f"{costs}\n\n{table(['ms a body of', *sizes], rows)}"
