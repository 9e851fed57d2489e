"""Where a text that is too long for one message is best cut."""

from __future__ import annotations

from typing import Any

from otel_stream.channel.fence import Fence, fenced
from otel_stream.channel.grapheme import boundary, prefix, trimmed, units
from otel_stream.channel.patterns import Patterns
from otel_stream.channel.sentence import sentence_ends

__all__ = ["LOOKAHEAD", "place"]

LOOKAHEAD = 16
"""What must be known after the longest possible message: a link that begins in it shows there."""

Span = tuple[int, int]


def place(
    text: str, room: int, limit: int, within: Fence | None, patterns: Patterns
) -> tuple[int, Fence | None]:
    """Where to cut *text*, of which *room* code units fit into the message.

    Best is the end of a line, then of a sentence, then a space, in the second half of what fits;
    then a space before that, then any place between two clusters. Not in a link and not in a fence,
    if these are not too long themselves; then in a fence at the end of a line.

    Returns:
        The place, and the fence that is cut there, if one is.
    """
    most = prefix(text, room)
    floor = 0
    for start, end, fence in fenced(text, within, patterns)[0]:
        if start >= most:
            break
        if end > most:
            before = boundary(text, start, patterns)
            if text[:before].strip() and before > floor:
                return _outside(text, floor, before, patterns) if before < start else before, None
            if before > floor > 0:
                return floor, None
            return _inside(text, room, limit, fence, within is None, patterns)
        floor = end
    return _outside(text, floor, most, patterns), None


def _inside(
    text: str, room: int, limit: int, fence: Fence, opens: bool, patterns: Patterns
) -> tuple[int, Fence | None]:
    """A place in code: at the end of a line, with room for the fence's own last line."""
    _, closing = fence.lines(limit)
    inner = prefix(text, room - units(closing) - 1) if closing else prefix(text, room)
    first = text.find("\n") + 1 if opens else 0
    at = text.rfind("\n", first, inner) + 1
    if at <= first:
        return boundary(text, inner, patterns) or inner, fence
    rest = text.find("\n", at) + 1 or len(text)
    if fence.ends(text[at:rest], patterns) and units(text[:rest].rstrip()) <= room:
        return rest, None
    return at, fence


def _outside(text: str, floor: int, most: int, patterns: Patterns) -> int:
    """A place in what is no code, from *floor* (the end of the last code) to *most*."""
    _, end = trimmed(text, patterns)
    if end <= most:
        return end
    urls = _spans(patterns.url, text)
    links = urls + _spans(patterns.link, text)
    half = max(floor, most // 2)
    gaps = [gap for gap in patterns.gap.finditer(text, floor) if 0 < gap.start() <= most]
    lines = [gap.start() for gap in gaps if "\n" in gap[0]]
    sentences = [stop for stop, _ in sentence_ends(text, 0, patterns) if floor < stop <= most]
    spaces = [gap.start() for gap in gaps]
    for places, above in ((lines, half), (sentences, half), (spaces, floor)):
        for at in reversed(places):
            if at > above and not _in(links, at):
                return at
    if floor:
        return floor
    return _between(text, most, links, urls, patterns)


def _between(text: str, most: int, links: list[Span], urls: list[Span], patterns: Patterns) -> int:
    """A place where there is no space: before a link, or between two clusters."""
    for spans in (links, urls):
        at = most
        while span := _in(spans, at):
            at = span[0]
        at = boundary(text, at, patterns)
        if at and not _in(spans, at):
            return at
    return boundary(text, most, patterns) or most


def _spans(pattern: Any, text: str) -> list[Span]:
    return [found.span() for found in pattern.finditer(text)]


def _in(spans: list[Span], at: int) -> Span | None:
    """The span with *at* inside it."""
    return next((span for span in spans if span[0] < at < span[1]), None)
