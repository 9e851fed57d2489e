"""What was measured of collectors."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Capacity", "Step"]


@dataclass(frozen=True)
class Step:
    """One rate, for twelve seconds."""

    offered: float | None
    """Items a second; None for as many as go."""
    acknowledged: float
    """Items a second."""
    cpu: float
    """CPU seconds a second of the agent."""
    memory: float
    """MiB resident at most."""
    refused: int
    """Requests that were refused and sent again."""


@dataclass
class Capacity:
    """All that was measured."""

    machine: str
    size: float = 0.0
    """Bytes a span on the wire, uncompressed."""
    idle: Step | None = None
    spans: list[Step] = field(default_factory=list)
    points: list[Step] = field(default_factory=list)
    gateway: list[Step] = field(default_factory=list)
    sender: dict[str, float] = field(default_factory=dict)
    """CPU seconds a span of the SDK that sends it, by compression."""
    limited: Step | None = None
    """As many as go into an agent that may have little memory."""
