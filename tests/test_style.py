"""The shape of the code: small files and functions, nouns for names, imports that flow one way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = [*(ROOT / "otel_stream").rglob("*.py"), *(ROOT / "instrumentation").rglob("*.py")]
OTHERS = [
    path
    for name in ("tests", "benchmarks", "examples", "stack", "dashboards")
    for path in (ROOT / name).rglob("*.py")
]
FILES = sorted(path.relative_to(ROOT).as_posix() for path in [*SHIPPED, *OTHERS])
SANS_IO = [
    file
    for file in FILES
    if re.match(
        r"otel_stream/(delta|sse|record/\w+|flat/(facts|otlp|reader)|pipeline/(diagnosis|figures|hop|otlp)"
        r"|channel/(cut|fence|grapheme|manner|patterns|place|reading|result|sentence))\.py"
        r"|instrumentation/otel_stream_agno(/(events|facts|outputs|pieces)|_http/(event|objects|wire))\.py",
        file,
    )
]

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def tree_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text())


def functions_of(file: str) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(file)) if isinstance(node, Function))


def depth(node: ast.AST) -> int:
    """How deep blocks are nested in `node`. An `elif` is as deep as its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue  # counted by itself
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        here = isinstance(child, BLOCKS) and not is_elif
        deepest = max(deepest, depth(child) + here)
    return deepest


def docstrings_of(tree: ast.Module) -> set[int]:
    """The ids of the constants that are only there to be read: docstrings, also of attributes."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    kept = [part for part in parts if part not in ("instrumentation", "__init__")]
    return ".".join(kept)


def imports_of(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that `path` needs in order to be imported."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found.update(inner or {node.module})
    return found & known


@pytest.mark.parametrize("file", FILES)
def test_files_are_short(file: str) -> None:
    """A file holds one noun, in at most 300 lines."""
    assert len((ROOT / file).read_text().splitlines()) <= 300


@pytest.mark.parametrize("file", FILES)
def test_functions_are_short(file: str) -> None:
    """A function has at most 40 lines."""
    sizes = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions_of(file)}

    assert {name: size for name, size in sizes.items() if size > 40} == {}


@pytest.mark.parametrize("file", FILES)
def test_nesting_is_shallow(file: str) -> None:
    """Blocks are nested at most three deep."""
    depths = {node.name: depth(node) for node in functions_of(file)}

    assert {name: deep for name, deep in depths.items() if deep > 3} == {}


def test_modules_are_nouns() -> None:
    """No module is a drawer for things without a name."""
    drawers = {"base", "common", "helper", "helpers", "misc", "util", "utils"}

    assert [file for file in FILES if Path(file).stem in drawers] == []


@pytest.mark.parametrize(
    "file",
    [
        path.relative_to(ROOT).as_posix()
        for path in sorted(SHIPPED)
        if path != ROOT / "otel_stream" / "semconv.py"
    ],
)
def test_names_of_the_convention_stand_in_one_file(file: str) -> None:
    """Attribute, event and metric names of the GenAI convention are literals of semconv.py only."""
    tree = tree_of(file)
    docstrings = docstrings_of(tree)
    literals = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "gen_ai." in node.value and id(node) not in docstrings
    ]

    assert literals == []


@pytest.mark.parametrize("file", SANS_IO)
def test_what_is_sans_io_never_waits(file: str) -> None:
    """The recorder and the readers are plain calls: no coroutine, no event loop, no socket."""
    nodes = list(ast.walk(tree_of(file)))
    waits = ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
    imports = [node for node in nodes if isinstance(node, ast.Import)]
    imported = {alias.name for node in imports for alias in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}

    assert [type(node).__name__ for node in nodes if isinstance(node, waits)] == []
    assert imported & {"asyncio", "http", "selectors", "socket"} == set()


def test_imports_flow_one_way() -> None:
    """No two modules need each other in order to be imported."""
    known = {module_of(path) for path in SHIPPED}
    needs = {module_of(path): imports_of(path, known) - {module_of(path)} for path in SHIPPED}

    assert len(list(TopologicalSorter(needs).static_order())) == len(known)


def test_our_own_code_is_not_mocked() -> None:
    """Tests use fakes at the edge; nothing is patched with mocks."""
    tests = [file for file in FILES if file.startswith("tests/")]
    imports = [
        (file, name)
        for file in tests
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        if name in ("mock", "unittest.mock")
    ]

    assert imports == []
