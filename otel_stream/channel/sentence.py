"""Where sentences end. In doubt they do not: better a cut too few than one in "Dr. Silva"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_stream.channel.patterns import Patterns

__all__ = ["CONTEXT", "sentence_ends"]

CONTEXT = 256
"""How many characters before the next sentence are enough to see whether one ends there."""

_BEFORE = 160
"""How many before its stop are looked at: fewer, since spaces may follow that."""

_WORDS = """
a.m al approx apr art aug av bzw ca cap cf ch co corp dec dept dr dra dras drs e.g ed eds eg em
eng esp est etc ex exc exa exas exma exmo feb fig figs gen gov hon i.e ibid ie inc jan jr jul
jun kg lt ltd ltda m.e mar max min mme mr mrs ms mt mx n.b nos nov nr num núm oct op ord p p.ex
p.m p.s pag pág pe ph.d pl pp prof profa pt rep resp rev s.a sec sen sep sept sr sra sras sres
srs st sta sto str tel u.a usw u.s v vol vs z.b
"""
_ABBREVIATIONS = frozenset(_WORDS.split())


def sentence_ends(text: str, since: int, patterns: Patterns) -> Iterator[tuple[int, int]]:
    """For each sentence that ends in *text*: where, and where the next one begins.

    The next one begins at *since* or after it, and at a character that is there: what may end a
    sentence can be judged only by what follows.
    """
    for found in patterns.sentence.finditer(text, max(0, since - CONTEXT)):
        if found.end() >= since and _ends(text, found, patterns):
            yield found.start() + len(found[0].rstrip()), found.end()


def _ends(text: str, found: Any, patterns: Patterns) -> bool:
    before = text[max(0, found.start() - _BEFORE) : found.start()]
    if "[" in before and "[" in patterns.brackets.sub("", before).rpartition("]")[2]:
        return False  # the words of a link, perhaps
    if found["stop"] != ".":
        return True
    if patterns.number.search(before) or patterns.initial.search(before):
        return False
    found_word = patterns.word.search(before[-24:])
    word = found_word[0].lower().lstrip(".") if found_word else ""
    if word == "no":  # "No. 5" and "I said no. Then"
        return not text[found.end()].isdigit()
    return word not in _ABBREVIATIONS
