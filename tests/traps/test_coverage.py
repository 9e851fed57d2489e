"""Which traps of the original services have a test, and which cannot catch us yet.

`Trap n` in a docstring is a number of the list of their bugs; `000` to `004` are other services.

What has no test in this folder, and why:

| trap | what | reason |
|---|---|---|
| 6 | every chunk kept, in memory and in a global | `test_scale.py`, `peers/test_bounds.py` |
| 22 | OTLP made by hand | the SDK and its exporters make it |
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
MARK = re.compile(r"Traps? ((?:\d+(?:, )?)+)")


def numbers_in(text: str) -> set[int]:
    found = (number for listed in MARK.findall(text) for number in listed.split(", "))
    return {int(number) for number in found if number and len(number) < 3}


def traps_of_tests() -> set[int]:
    trees = [ast.parse(path.read_text()) for path in HERE.glob("test_*.py")]
    functions = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return set().union(*(numbers_in(ast.get_docstring(node) or "") for node in functions))


def test_every_trap_is_known() -> None:
    """Each of the 22 traps has a test that names it, or a reason why it has none."""
    rows = [line.split("|")[1].strip() for line in (__doc__ or "").splitlines() if "|" in line]
    left_out = {int(row) for row in rows[2:]}

    assert traps_of_tests() | left_out == set(range(1, 23))
    assert traps_of_tests() & left_out == set()
