"""Sizes, and places between what a reader sees as one character."""

from __future__ import annotations

from otel_stream.channel.patterns import Patterns

__all__ = ["boundary", "prefix", "trimmed", "units", "whole"]

_CONTROLS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")
"""White space that is never part of a larger cluster, a line's end aside."""


def units(text: str) -> int:
    """The size of *text* in UTF-16 code units: what a channel may count at worst."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def prefix(text: str, size: int) -> int:
    """How many characters of *text* fit into *size* UTF-16 code units."""
    head = text[:size]
    if units(head) == len(head):
        return len(head)
    return len(head.encode("utf-16-le")[: 2 * size].decode("utf-16-le", "ignore"))


def boundary(text: str, at: int, patterns: Patterns) -> int:
    """The last place in *text* up to *at* that is not inside a cluster; 0 if there is none.

    Whether *at* is one can be told when the character after it is known.
    """
    if at >= len(text):
        return len(text)
    pair = patterns.plain_pair.search(text, 0, at + 1)
    place = 0 if pair is None else pair.start() + 1
    for cluster in patterns.cluster.finditer(text, place):
        if cluster.end() > at:
            break
        place = cluster.end()
    return int(place)


def trimmed(text: str, patterns: Patterns) -> tuple[int, int]:
    """Where *text* begins and ends without the white space around it. Clusters stay whole."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if 0 < start < len(text) and text[start - 1] not in _CONTROLS:
        start -= bool(patterns.after.match(text, start))  # a space that carries an accent
    if 0 < end < len(text) and text[end] not in _CONTROLS:
        end += bool(patterns.before.match(text, end - 1))  # a sign that reaches over the space
    return start, max(start, end)


def whole(text: str) -> str:
    """*text* with surrogate pairs put together; a half alone becomes U+FFFD, as UTF-8 has none."""
    try:
        text.encode("utf-16-le")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
