"""The scripted provider of `accuracy.py`, in a process of its own so that nobody shares its clock.

Prints its address. Then it is told a scenario on standard input (`{"library": …, "scenario": …}`),
says that it is ready, plays it to one request, and after one more line of any kind prints when each
event left (seconds of `time.perf_counter`).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

from answers import EVENTS, FIRST_TEXT

from otel_stream.testing.script import HoldHeaders, Script, Send, Wait
from otel_stream.testing.server import ProviderServer

PIECES = 5


@dataclass(frozen=True)
class Scenario:
    """Known delays, in seconds."""

    name: str
    headers: float = 0.0
    """The headers are held back."""
    first: float = 0.05
    """From the first event, which says nothing, to the first token."""
    every: float = 0.03
    """From one event to the next."""
    gaps: dict[int, float] = field(default_factory=dict)
    """Longer waits before certain events."""
    consumer: float = 0.004
    """What the program does with each chunk."""

    def script(self, library: str) -> Script:
        """The server's part."""
        steps: list[Any] = [HoldHeaders(self.headers)]
        for index, event in enumerate(EVENTS[library](PIECES)):
            usual = self.first if index == FIRST_TEXT[library] else self.every
            steps += [Wait(self.gaps.get(index, usual)), Send(event)]
        return Script(steps, headers={"content-type": "text/event-stream"})


SCENARIOS = (
    Scenario("steady"),
    Scenario("headers held", headers=0.06),
    Scenario("gaps", every=0.015, gaps={4: 0.08, 6: 0.12}),
    Scenario("slow consumer", every=0.05, consumer=0.025),
    Scenario("consumer slower than provider", first=0.15, every=0.002, consumer=0.012),
)


def main() -> None:
    """Serve until standard input ends."""
    with ProviderServer() as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            server.reset()
            server.script(None, SCENARIOS[asked["scenario"]].script(asked["library"]))
            print("ready", flush=True)
            sys.stdin.readline()  # the program has read it all
            print(json.dumps([at for at, _ in server.request.sent]), flush=True)


if __name__ == "__main__":
    main()
