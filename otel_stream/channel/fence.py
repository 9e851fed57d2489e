"""Code between fences of three or more backticks, as Markdown and WhatsApp know it.

A fence that opens a line ends at a line of its own. One that opens within a line, which WhatsApp
allows, ends at the next three backticks.
"""

from __future__ import annotations

from typing import NamedTuple

from otel_stream.channel.grapheme import units
from otel_stream.channel.patterns import Patterns

__all__ = ["Fence", "Fenced", "fenced", "follow"]


class Fence(NamedTuple):
    """What opened a stretch of code."""

    ticks: int
    line: str
    """The opening line, such as "```python"; only backticks where it opened within a line."""
    block: bool
    """Whether it opened a line."""

    def lines(self, limit: int) -> tuple[str, str]:
        """What opens and closes a piece of it; both empty if *limit* leaves no room for that."""
        bare = "`" * self.ticks
        for line in (self.line, bare):
            if 2 * (units(line) + self.ticks + 2) <= limit:
                return f"{line}\n", bare
        return "", ""


class Fenced(NamedTuple):
    """A stretch of code in a text, fences included. If it has not ended, `end` is the text's."""

    start: int
    end: int
    fence: Fence


def follow(
    line: str, within: Fence | None, patterns: Patterns
) -> tuple[Fence | None, list[tuple[int, Fence]]]:
    """Read one *line* that begins *within* a fence or not.

    Returns:
        The fence in which the next line begins; and where fences open and close, in turns.
    """
    if "```" not in line:
        return within, []
    if within is not None and within.block:
        closing = patterns.closing.match(line)
        if closing is None or len(closing[1]) < within.ticks:
            return within, []
        return None, [(len(line), within)]
    opening = patterns.opening.match(line) if within is None else None
    if opening is not None:
        fence = Fence(len(opening[1]), line.strip(), True)
        return fence, [(0, fence)]
    places: list[tuple[int, Fence]] = []
    for ticks in patterns.ticks.finditer(line):
        if within is None:
            within = Fence(3, "```", False)
            places.append((ticks.start(), within))
        else:
            places.append((ticks.end(), within))
            within = None
    return within, places


def fenced(
    text: str, within: Fence | None, patterns: Patterns
) -> tuple[list[Fenced], Fence | None]:
    """The stretches of code in *text*, and the fence in which its last line begins."""
    if within is None and "```" not in text:
        return [], None
    found: list[Fenced] = []
    since = at = 0
    state = begun = within
    for line in patterns.line.findall(text):
        begun = opened = state
        state, places = follow(line, state, patterns)
        for place, fence in places:
            if opened is None:
                opened, since = fence, at + place
            else:
                found.append(Fenced(since, at + place, fence))
                opened = None
        at += len(line)
    if state is not None:
        found.append(Fenced(since, len(text), state))
    return found, state if text.endswith("\n") else begun
