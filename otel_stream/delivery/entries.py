"""What a webhook brings, taken out of what is put around it: as much of it as is looked at.

Whoever reaches a webhook may post to it, and it is read on the event loop of the program. So there
is one budget for a whole body, and one for each name in it, however it is nested.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["LONGEST", "MOST", "Entries", "entries_of", "short"]

MOST = 3_000
"""Entries of one body that are looked at. The Cloud API tells up to a thousand things at once, each
in an entry and a change of its own."""
LONGEST = 512
"""Characters of an id, a JID, an instance, a type, or of what a message may carry."""
_WITH_RECORDS = ("messages.upsert", "messages.update")


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """What a body holds.

    Attributes:
        event: The name of Evolution's event, written the one way: `messages.upsert`.
        instance: Evolution's instance.
        records: What Evolution tells.
        messages, statuses: What the Cloud API tells; messages with the id of the business's number
            that they came to.
        beyond: How many entries were not looked at.
    """

    event: str = ""
    instance: str = ""
    records: list[dict[str, Any]]
    messages: list[tuple[dict[str, Any], str]]
    statuses: list[dict[str, Any]]
    beyond: int = 0


def entries_of(body: Any) -> Entries:
    """Of a webhook's parsed JSON, or of what was read of it already. Never raises."""
    if isinstance(body, Entries):
        return body
    body = body if isinstance(body, dict) else {}
    event = short(body.get("event")).lower().replace("_", ".")
    budget = _Budget()
    records = list(budget.records(body.get("data"))) if event in _WITH_RECORDS else []
    messages: list[tuple[dict[str, Any], str]] = []
    statuses: list[dict[str, Any]] = []
    for entry in budget.dicts(body.get("entry")):
        for change in budget.dicts(entry.get("changes")):
            value = change.get("value")
            if isinstance(value, dict):
                number = _number(value)
                messages += ((each, number) for each in budget.dicts(value.get("messages")))
                statuses += budget.dicts(value.get("statuses"))
    return Entries(
        event=event,
        instance=short(body.get("instance")),
        records=records,
        messages=messages,
        statuses=statuses,
        beyond=budget.beyond,
    )


def short(value: Any) -> str:
    """A name of something; "" for what is none, or is longer than any."""
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def _number(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    return short(metadata.get("phone_number_id")) if isinstance(metadata, dict) else ""


class _Budget:
    """What may still be looked at, and how much was not."""

    def __init__(self) -> None:
        self.left = MOST
        self.beyond = 0

    def dicts(self, values: Any) -> Iterator[dict[str, Any]]:
        """Those in a list."""
        listed = values if isinstance(values, list) else []
        for at, value in enumerate(listed):
            if self.left == 0:
                self.beyond += len(listed) - at
                return
            self.left -= 1
            if isinstance(value, dict):
                yield value

    def records(self, data: Any) -> Iterator[dict[str, Any]]:
        """What is told in `data`: itself, those in a list, or what is wrapped in either."""
        waiting = deque([data])
        while waiting:
            self.left -= 1
            data = waiting.popleft()
            inner = _wrapped(data)
            if inner is not None:
                room = self.left - len(waiting)
                waiting.extendleft(reversed(inner[:room]))
                self.beyond += max(0, len(inner) - room)
            elif isinstance(data, dict):
                yield data


def _wrapped(data: Any) -> list[Any] | None:
    """What is in a list, or under a name that says nothing; None for what tells something."""
    if isinstance(data, dict) and "key" not in data:
        data = data.get("messages") or data.get("data")
        return [data] if isinstance(data, dict) else _wrapped(data)
    return data if isinstance(data, list) else None
