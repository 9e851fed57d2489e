"""Makes good streams bad: single values, whole events, their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from .corpus import CORPUS, Event

__all__ = ["Mutator"]

LONE = "\ud83d"
"""Half an emoji, as it comes when a provider cuts between two code units."""
INTEGERS = (0, 1, -1, 2, -7, 255, 2**31, 2**63, -(2**63) - 1, 10**30, -(10**30))
TEXTS = ("", " ", "x", LONE, "\x00", "\u2028", "[DONE]", "null", "0", "{}", "a" * 5_000)
FLOATS = (0.5, -0.5, 1e308, float("nan"), float("inf"), float("-inf"))
KEYS = ("type", "index", "id", "error", "usage", "delta", "choices", "text", "finish_reason", "zig")
DEEP = 60


class Mutator:
    """Mutates by one source of chance, so that a seed names a run.

    Args:
        random: Where chance comes from.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self._odd: tuple[Callable[[], Any], ...] = (
            lambda: None,
            lambda: random.choice(INTEGERS),
            lambda: random.choice(TEXTS),
            lambda: random.choice(FLOATS),
            lambda: random.random() < 0.5,
            list,
            dict,
            lambda: [None, 1, "x", {}],
            lambda: {random.choice(KEYS): self.odd()},
            self._deep,
        )

    def odd(self) -> Any:
        """A value that does not belong anywhere."""
        return self.random.choice(self._odd)()

    def stream(self, api: str) -> list[Event]:
        """A stream of the API with events left out, repeated, swapped, mixed with others'."""
        random = self.random
        events = list(random.choice(CORPUS[api]))
        while random.random() < 0.4:
            place, other = random.randrange(len(events)), random.randrange(len(events))
            match random.randrange(5):
                case 0 if len(events) > 1:
                    del events[place]
                case 1:
                    events.insert(other, events[place])
                case 2:
                    events[place], events[other] = events[other], events[place]
                case 3:
                    stranger = random.choice(CORPUS[random.choice(list(CORPUS))])
                    events.insert(place, random.choice(stranger))
                case _:
                    events[place:] = events[place:] * random.randint(1, 4)
        return events

    def value(self, event: Event) -> Any:
        """The event's data with none, one or a few mutations; not always an object any more."""
        if event.data == "[DONE]":
            return "[DONE]"
        value = json.loads(event.data)
        dice = self.random.random()
        for _ in range(0 if dice < 0.4 else 1 if dice < 0.8 else self.random.randint(2, 5)):
            value = self._mutated(value)
        return value

    def _mutated(self, value: Any) -> Any:
        """`value` with one place in it changed; places near the top are likelier."""
        random = self.random
        if not isinstance(value, (dict, list)) or not value or random.random() < 0.05:
            return self._replaced(value)
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key: Any = random.choice(keys)
        if isinstance(value[key], (dict, list)) and random.random() < 0.6:
            value[key] = self._mutated(value[key])
            return value
        match random.randrange(6):
            case 0:
                del value[key]
            case 1 if isinstance(value, dict):
                value[random.choice(KEYS)] = value[key]
            case 2 if isinstance(value, list):
                value.append(value[key])
            case _:
                value[key] = self._replaced(value[key])
        return value

    def _replaced(self, value: Any) -> Any:
        match self.random.randrange(5):
            case 0:
                return [value]
            case 1:
                return {"type": value}
            case 2 if isinstance(value, str):
                return value + LONE
            case _:
                return self.odd()

    def _deep(self) -> Any:
        value: Any = "deep"
        for _ in range(DEEP):
            value = [value] if self.random.random() < 0.5 else {"content": value}
        return value
