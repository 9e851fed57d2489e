"""Runs inside a contender's environment: `contender.py NAME LIBRARY...`.

Prints `{"versions": …}` when it is ready; then answers each line of standard input, a request as
JSON (`measures.Bench.run`, or `{"measure": "evidence"}`), with one line of JSON. Whatever goes
wrong ends the process with a traceback on standard error.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import sys
from importlib import metadata

from contenders import BY_NAME, SDK, Contender
from measures import Bench
from replay import Replay
from workload import connect, install, parse

SIZES = (3, 4000)
"""Text deltas of the answers that are replayed."""


def main(name: str, libraries: list[str]) -> None:
    """Serve requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a contender prints is not an answer
    contender = BY_NAME[name]
    bench = prepare(contender, libraries)
    print(json.dumps({"versions": versions(contender)}), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        if request["measure"] == "evidence":
            answer = dataclasses.asdict(bench.active.evidence())
        else:
            answer = dict(bench.run(request))
        print(json.dumps(answer), file=answers)


def prepare(contender: Contender, libraries: list[str]) -> Bench:
    """Build the chunks with the bare SDK, switch the contender on, and connect the clients."""
    replay = Replay()
    chunks = {}
    for library in libraries:
        install(library, replay)
        for pieces in SIZES:
            chunks[library, pieces] = parse(library, replay, pieces)
    gc.collect()
    gc.freeze()  # our own chunks are not to burden the collections of the contender
    active = contender.activate()
    bench = Bench(active, replay, {library: connect(library, replay) for library in libraries})
    bench.chunks = chunks
    return bench


def versions(contender: Contender) -> dict[str, str]:
    """Versions of the contender and of the SDKs that it traces, as installed here."""
    names = (*contender.distributions, *SDK, "opentelemetry-sdk")
    return {name: metadata.version(name) for name in names}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
