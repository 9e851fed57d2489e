"""Every trap of the original services has a test that names it.

`Trap n` in a docstring is a number of the list of their bugs; `000` to `004` are other services.
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
    """Each of the 22 traps has a test that names it."""
    assert traps_of_tests() == set(range(1, 23))
