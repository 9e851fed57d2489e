"""The patterns by which text is cut. `regex` knows grapheme clusters; the standard `re` does not.

Grapheme clusters are those of Unicode's annex 29: https://www.unicode.org/reports/tr29/
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from otel_stream.errors import MissingExtraError

__all__ = ["Patterns", "patterns"]

# What belongs to the character before it, and what to the one after it.
_AFTER = r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]"
_BEFORE = r"\p{GCB=Prepend}"
_CLOSERS = r"[\"'”’»)\]*_~]"
_WIDE_CLOSERS = r"[”’」』\uff09】》]"


class Patterns:
    """Compiled once a process, when the first text is to be cut.

    Raises:
        MissingExtraError: The library `regex` is not installed.
    """

    def __init__(self) -> None:
        try:
            regex: Any = import_module("regex")  # which has no types
        except ImportError:
            raise MissingExtraError(
                "cutting text for a channel needs: pip install 'otel-stream[channel]'"
            ) from None
        compiled = regex.compile
        self.cluster: Any = compiled(r"\X")
        self.plain_pair: Any = compiled(r"(?r)[\x20-\x7e]{2}")
        """Two characters that never are one cluster; the last such pair."""
        self.after: Any = compiled(_AFTER)
        self.before: Any = compiled(_BEFORE)
        self.line: Any = compiled(r"[^\n]*+\n|[^\n]++")
        self.gap: Any = compiled(rf"(?<![\s{_BEFORE}])\s++(?!{_AFTER})")
        # A sentence ends before a space and something that can begin another one. The wide stops of
        # Chinese and Japanese need no space.
        self.sentence: Any = compiled(
            rf"(?<![.!?…])(?P<stop>[.!?…]++){_CLOSERS}*+\s++(?=[^\s\p{{Ll}}])(?!{_AFTER})"
            rf"|[。\uff01\uff1f｡]++{_WIDE_CLOSERS}*+\s*+(?=\S)(?!{_AFTER})"
        )
        self.begins: Any = compiled(rf"[\s。\uff01\uff1f｡{_WIDE_CLOSERS[1:-1]}]\S")
        """Where a sentence can begin at all: a quick look, before the thorough one."""
        self.number: Any = compiled(r"(?:^|[^\w.,])\d{1,3}\Z")
        self.initial: Any = compiled(r"(?:^|[^\p{L}\p{N}./])(?:\p{L}\.)*\p{L}\Z")
        self.word: Any = compiled(r"[\p{L}.]+\Z")
        self.url: Any = compiled(
            r"https?://[^\s<>\"“”「」『』【】《》\u3000-\u303f\uff01-\uff5e]*", regex.I
        )
        self.link: Any = compiled(
            r"\[(?:[^\[\]\n]|\[[^\[\]\n]{0,200}+(?:\Z|\])){0,200}+"
            r"(?:\Z|\](?:\Z|\((?:h?t?t?p?s?:?/?/?\Z|https?://[^\s]*)))",
            regex.I,
        )
        """`[words](https://…)`, with brackets in the words, also where its end has not come yet."""
        self.brackets: Any = compiled(r"\[[^\[\]]*+\]")
        self.opening: Any = compiled(r"[ \t]*(?|(`{3,})[^`\n]*+|(~{3,})[^~\n]*+)\n?\Z")
        self.closing: Any = compiled(r"[ \t]*(`{3,}|~{3,})\s*+\Z")
        self.ticks: Any = compiled(r"`{3,}")


@cache
def patterns() -> Patterns:
    """The patterns."""
    return Patterns()
