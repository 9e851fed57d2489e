"""Streams of Agno's servers, written for the tests: events of runs, on either wire."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ODD", "WIRES", "Event", "Runner", "Wire", "agent", "cut", "half_marked", "joke", "lines",
    "member", "objects", "server_sent", "team",
]  # fmt: skip

Event = dict[str, Any]
Wire = Callable[[Iterable[Event]], list[bytes]]

ODD = ["Why do ", "}{ ", '"}', "{not json}", " 🐛\n\n", "olá, ", "\\", "ação\u2028", ' {"a": [']
"""Text that looks like what stands around it, or is cut in the middle of a letter."""


@dataclass(frozen=True)
class Runner:
    """An agent or a team at work: makes the events of one run."""

    name: str
    run: str
    team: bool = False
    inside: str | None = None
    """The run that it is a part of."""

    def event(self, name: str, **fields: Any) -> Event:
        """An event of this run."""
        whose = "team" if self.team else "agent"
        made: Event = {
            "created_at": 1795248409,
            "event": f"Team{name}" if self.team else name,
            f"{whose}_id": self.name,
            f"{whose}_name": self.name.capitalize(),
            "run_id": self.run,
            "session_id": "s-1",
        }
        if self.inside is not None:
            made["parent_run_id"] = self.inside
        return {**made, **fields}

    def start(self) -> Event:
        return self.event("RunStarted", model="gpt-4o", model_provider="OpenAI")

    def says(self, *texts: str, thought: str = "") -> list[Event]:
        """Its text in deltas, the first of which is empty, as servers send them."""
        about = {"content_type": "str", "reasoning_content": thought}
        return [self.event("RunContent", content=text, **about) for text in ("", *texts)]

    def tool(self, step: str, call: str, name: str = "search", **fields: Any) -> Event:
        """`Started`, `Completed` or `Error` of a tool's call."""
        tool = {"tool_call_id": call, "tool_name": name, "tool_args": {"city": "Porto Alegre"}}
        failed = None if step == "Started" else step == "Error"
        about = {"tool_call_error": failed, "metrics": None, "created_at": 1795248371}
        return self.event(f"ToolCall{step}", tool={**tool, **about, **fields})

    def end(self, text: str = "", **fields: Any) -> Event:
        """Its last event, with all its text once more."""
        return self.event("RunCompleted", content=text, content_type="str", **fields)

    def whole(self, *texts: str) -> list[Event]:
        """A run that says these and ends."""
        return [self.start(), *self.says(*texts), self.end("".join(texts))]


agent = Runner("genie", "r-genie")
team = Runner("ana", "r-ana", team=True)


def member(name: str, inside: Runner = team) -> Runner:
    """A member of a team, or of a team inside one."""
    return Runner(name, f"r-{name}", inside=inside.run)


def joke() -> list[Event]:
    """An agent's run with text of the odd kind."""
    return agent.whole(*ODD)


def objects(events: Iterable[Event]) -> list[bytes]:
    """As version 1.7 sends them: pretty JSON back to back, other names, ASCII only."""
    return [json.dumps(_older(event), indent=2).encode() for event in events]


def server_sent(events: Iterable[Event]) -> list[bytes]:
    """As 2.x and 3.x send them."""
    return [f"event: {event['event']}\ndata: {_compact(event)}\n\n".encode() for event in events]


def half_marked(events: Iterable[Event]) -> list[bytes]:
    """As 2.0 sends them: pretty JSON, of which only the first line is marked as data."""
    pretty = ((event["event"], json.dumps(event, indent=2, ensure_ascii=False)) for event in events)
    return [f"event: {name}\ndata: {data}\n\n".encode() for name, data in pretty]


def lines(events: Iterable[Event]) -> list[bytes]:
    """JSON a line."""
    return [f"{_compact(event)}\n".encode() for event in events]


WIRES: dict[str, Wire] = {one.__name__: one for one in (objects, server_sent, half_marked, lines)}


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """The body in pieces, cut at these places."""
    edges = [0, *sorted({place for place in places if 0 < place < len(body)}), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


def _older(event: Event) -> Event:
    older = dict(event)
    older["event"] = event["event"].replace("RunContent", "RunResponseContent")
    if "reasoning_content" in older:
        older["thinking"] = older.pop("reasoning_content")
    if older.pop("parent_run_id", None) is not None:
        older["team_session_id"] = event["session_id"]
    return older


def _compact(event: Event) -> str:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)
