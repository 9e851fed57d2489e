"""Timed captures of real Agno servers: the folder `wire` beside the recordings.

They are other people's data: replayed here, never copied into this repository.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .recording import FOLDER

__all__ = ["CAPTURES", "MISSING", "Capture", "Truth"]

WIRE = FOLDER.parent / "wire" if FOLDER is not None else Path("missing")
MISSING = not WIRE.is_dir()


class Truth(NamedTuple):
    """What a capture holds, as told by those who made it.

    Attributes:
        events: How many.
        deltas: Those with content, members' included.
        first_text: When the first content came (s since the request).
        size: Characters of the outer run's own text.
        member: Characters of the member's text.
        tools: The names of the tools that ran.
    """

    events: int
    deltas: int
    first_text: float
    size: int
    outcome: str = "completed"
    member: int | None = None
    tools: tuple[str, ...] = ()


CAPTURES = {
    "a17_joke": Truth(23, 20, 0.2547, 115),
    "a22_joke": Truth(24, 20, 0.2444, 115),
    "a17_tool": Truth(12, 6, 0.7102, 35, tools=("get_weather",)),
    "a22_tool": Truth(13, 6, 0.6821, 35, tools=("get_weather",)),
    "a17_team": Truth(36, 27, 0.4567, 42, member=115, tools=("transfer_task_to_member",)),
    "a22_team": Truth(38, 27, 0.4206, 42, member=115, tools=("delegate_task_to_member",)),
    "a17_boommid": Truth(8, 5, 0.2361, 30, "error"),
    "a22_boommid": Truth(8, 5, 0.2373, 30, "error"),
}


@dataclass(frozen=True)
class Capture:
    """One answer as it came: pieces with their times since the request (s)."""

    name: str
    pieces: tuple[tuple[float, bytes], ...]

    @classmethod
    @cache
    def read(cls, name: str) -> Capture:
        """The capture of that name."""
        lines = (WIRE / f"{name}.chunks.jsonl").read_text().splitlines()
        chunks = [json.loads(line) for line in lines]
        return cls(name, tuple((c["t_ms"] / 1000, c["b"].encode("latin-1")) for c in chunks))

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    @property
    def path(self) -> str:
        """Where such an answer is asked for."""
        whom = "teams" if "team" in self.name else "agents"
        return f"/playground/{whom}/{self.name}/runs"
