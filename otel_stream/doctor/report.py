"""What the doctor finds, as plain values: for a person (`page`) and for machines (JSON)."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Destination", "InForce", "Instrumentor", "Other", "Problem", "Report", "State"]

State = Literal[
    "active",  # wraps its library in this process
    "ready",  # would
    "missing",  # the library is not installed
    "too_old",  # the library is
    "left_out",  # by `only`, `exclude` or `disabled`
    "broken",  # it cannot be loaded, or the library cannot
]


class Problem(msgspec.Struct, frozen=True):
    """Something that needs doing, and what."""

    what: str
    remedy: str


class Instrumentor(msgspec.Struct, frozen=True):
    """One of ours, and its library. `missing_hooks`: what this version of the library lacks."""

    name: str
    library: str
    version: str | None
    requires: str
    state: State
    missing_hooks: list[str]
    notes: list[str]


class Other(msgspec.Struct, frozen=True):
    """Somebody else who traces, or could trace, the same calls.

    `state`: `active` (it wraps them in this process), `imported`, `installed`, or `disabled` by
    `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`. `remedy` is empty where both go together.
    """

    name: str
    version: str
    state: Literal["active", "imported", "installed", "disabled"]
    what: str
    remedy: str


class Destination(msgspec.Struct, frozen=True):
    """Where one signal goes."""

    signal: str
    where: str
    notes: list[str]


class InForce(msgspec.Struct, frozen=True):
    """A setting that differs from its default. `source`: `argument`, or the variable."""

    name: str
    value: str
    default: str
    source: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `versions` holds None for what is not installed."""

    healthy: bool
    executable: str
    versions: dict[str, str | None]
    instrumentors: list[Instrumentor]
    others: list[Other]
    destinations: list[Destination]
    settings: list[InForce]
    faults: dict[str, int]
    problems: list[Problem]

    def as_json(self) -> str:
        """Indented JSON, by the names of the fields."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
