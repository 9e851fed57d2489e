"""What a check finds, as plain values: for a person (`page`) and for machines (JSON)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from otel_stream.doctor.report import Problem

__all__ = ["Hop", "Look", "Part", "Report", "State"]

State = Literal[
    "acknowledged",  # the agent took it
    "refused",  # it did not
    "arrived",  # a back end shows it, as it was sent
    "differs",  # a back end shows it, or some of it, and not as it was sent
    "missing",  # a back end does not show it
    "unreachable",  # a back end does not answer
    "not sent",  # the agent did not take what would be there
]


class Part(NamedTuple):
    """One thing to look for in a back end. `signal` is what it is made of."""

    place: str
    what: str
    signal: str


class Look(NamedTuple):
    """What a back end shows of a part: so many of the things that were sent."""

    found: int
    expected: int
    detail: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is all there."""
        return self.found >= self.expected


class Hop(msgspec.Struct, frozen=True):
    """One step of the way.

    Attributes:
        place: The agent, or a back end.
        where: Its URL, or its folder.
        part: A signal, or what a back end makes of it.
        state: How it went.
        seconds: For the agent how long it took; for a back end how long after the agent had it.
            None where it did not arrive.
        found, expected: How many of the things in it are there as they were sent.
        detail: What they are, or what is wrong.
    """

    place: str
    where: str
    part: str
    state: State
    seconds: float | None = None
    found: int = 0
    expected: int = 0
    detail: str = ""

    @property
    def fine(self) -> bool:
        """Whether it went as it should."""
        return self.state in ("acknowledged", "arrived")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `seconds`: how long it was waited for altogether."""

    arrived: bool
    service: str
    instance: str
    trace_id: str
    seconds: float
    hops: list[Hop]
    problems: list[Problem]

    def as_json(self) -> str:
        """Indented JSON, by the names of the fields."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
