"""Tables in Markdown, and the figures in them."""

from __future__ import annotations

import math
from collections.abc import Iterable

NONE = "–"


def table(head: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """A Markdown table whose first `left` columns are text and the others numbers."""
    names = list(head)
    rule = ["---"] * left + ["---:"] * (len(names) - left)
    lines = [names, rule, *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, digits: int = 2) -> str:
    """A figure; what is below the last digit is zero without a sign."""
    if value is None or math.isnan(value):
        return NONE
    return f"{round(value, digits) + 0.0:,.{digits}f}"
