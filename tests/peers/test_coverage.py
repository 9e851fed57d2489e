"""Which failings of the peers have a test here, and which cannot happen to us.

The marks in the docstrings: `[n]` is a footnote of the peers' feature table, `An` a fact of the
market, `Bn` an issue of their users, `Cn` one of the ten bugs.

What has no test here, and why:

| mark | failing | reason |
|---|---|---|
| [38] | no live view | comes with the server; the callbacks have tests of their own |
| [42] | no fan-out, no dashboards | nothing here can fail so; files and Prometheus: test_embedded |
| [43] | command-line agents | comes with the sessions |
| A2 | names of the convention | semconv.py is the only place for names: test_style |
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
MARK = re.compile(r"\[(\d+)\]|\b([ABC]\d+)")
RANGE = re.compile(r"\b([ABC])(\d+) to \1(\d+)")
LEFT_OUT = {"[38]", "[42]", "[43]", "A2"}
ALL = {
    *(f"[{number}]" for number in range(1, 45)),
    *("A1", "A2"),
    *(f"B{number}" for number in range(1, 26)),
    *(f"C{number}" for number in range(1, 11)),
}


def marks_of_tests() -> Iterator[str]:
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from marks_in(ast.get_docstring(node) or "")


def marks_in(text: str) -> Iterator[str]:
    for footnote, other in MARK.findall(text):
        yield f"[{footnote}]" if footnote else other
    for letter, first, last in RANGE.findall(text):
        yield from (f"{letter}{number}" for number in range(int(first), int(last) + 1))


def test_every_failing_is_guarded_against() -> None:
    """Every failing of the peers has a test that says so, but for those of the table above."""
    assert set(marks_of_tests()) | LEFT_OUT == ALL


def test_the_table_names_what_is_left_out() -> None:
    """The table above is complete."""
    rows = [line.split("|")[1].strip() for line in (__doc__ or "").splitlines() if "|" in line]

    assert set(rows[2:]) == LEFT_OUT
