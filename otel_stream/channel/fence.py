"""Code between fences of three or more backticks, as Markdown and WhatsApp know it, or tildes.

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

    bare: str
    """Its backticks or tildes."""
    line: str
    """The opening line, such as "```python"; only backticks where it opened within a line."""
    block: bool
    """Whether it opened a line."""

    def lines(self, limit: int) -> tuple[str, str]:
        """What opens and closes a piece of it; both empty if *limit* leaves no room for that."""
        for line in (self.line, self.bare):
            if 2 * (units(line) + len(self.bare) + 2) <= limit:
                return f"{line}\n", self.bare
        return "", ""

    def ends(self, line: str, patterns: Patterns) -> bool:
        """Whether *line* closes it, if it opened one."""
        closing = patterns.closing.match(line)
        return closing is not None and closing[1].startswith(self.bare)


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
    if "```" not in line and "~~~" not in line:
        return within, []
    if within is not None and within.block:
        return (None, [(len(line), within)]) if within.ends(line, patterns) else (within, [])
    opening = patterns.opening.match(line) if within is None else None
    if opening is not None:
        fence = Fence(opening[1], line.strip(), True)
        return fence, [(0, fence)]
    places: list[tuple[int, Fence]] = []
    for ticks in patterns.ticks.finditer(line):
        if within is None:
            within = Fence("```", "```", False)
            places.append((ticks.start(), within))
        else:
            places.append((ticks.end(), within))
            within = None
    return within, places


def fenced(
    text: str, within: Fence | None, patterns: Patterns
) -> tuple[list[Fenced], Fence | None]:
    """The stretches of code in *text*, and the fence in which its last line begins."""
    if within is None and "```" not in text and "~~~" not in text:
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
