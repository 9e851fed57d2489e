"""The documentation says what is true: settings, names, and code that runs."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_stream import semconv
from otel_stream.flat.facts import CONTENT, FACTS
from otel_stream.settings import Settings
from otel_stream.sources import variable
from otel_stream.testing import (
    ProviderServer,
    Request,
    Script,
    chat_completion,
    chat_text,
    chat_usage,
    message,
    message_text,
    response,
    response_text,
)

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FOLDERS = (ROOT, DOCS, ROOT / "instrumentation", ROOT / "collector-config")
PAGES = sorted(page for folder in FOLDERS for page in folder.glob("*.md"))
BLOCK = re.compile(r"^(<!-- no-run -->\n)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORDS = ["Hello", ", ", "you", "."]


def blocks_of(page: Path, *, no_run: bool) -> list[str]:
    """The Python blocks of a page: those that run, or those marked as only to be compiled."""
    found = BLOCK.findall(page.read_text())
    return [code for mark, code in found if bool(mark) is no_run]


def settings_table() -> dict[str, list[str]]:
    """The rows of the table of settings by name, markup taken off."""
    section = (DOCS / "configuration.md").read_text().split("## Settings")[1].split("\n## ")[0]
    rows = re.findall(r"^\|( `.*)\|$", section, re.MULTILINE)
    cells = [[cell.strip().strip("`") for cell in row.split("|")] for row in rows]
    return {row[0]: row[1:] for row in cells}


def shown(default: object) -> str:
    """A default in the words of the table, which are those of the variable."""
    if default is None or default == ():
        return "–"
    if isinstance(default, tuple):
        return "`, `".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def names_of_ours() -> set[str]:
    """The attributes, events and metrics in the code that begin with our prefix."""
    names = [value for name, value in vars(semconv).items() if name.isupper()]
    return {name for name in names if isinstance(name, str) and name.startswith("otel_stream.")}


def answer(request: Request) -> Script:
    """What the providers of the documentation say: hello, whatever they are asked."""
    streamed = bool(request.json.get("stream"))
    if request.path.endswith("/messages"):
        return Script.stream(message_text(WORDS)) if streamed else Script.json(message())
    if request.path.endswith("/responses"):
        return Script.stream(response_text(WORDS)) if streamed else Script.json(response())
    if streamed:
        return Script.stream(chat_text(WORDS, usage=chat_usage()))
    return Script.json(chat_completion())


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    """One server for the code of all pages."""
    with ProviderServer() as server:
        server.handler = answer
        yield server


def run(code: str, folder: Path, server: ProviderServer) -> subprocess.CompletedProcess[str]:
    """Run a block as a program of its own in `folder`, or as tests if it holds any."""
    file = folder / "test_block.py"
    file.write_text(code)
    tests = "\ndef test_" in code or "\nasync def test_" in code
    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider", file.name] if tests else [file.name]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    given = {
        "OPENAI_API_KEY": "test",
        "OPENAI_BASE_URL": server.openai_url,
        "ANTHROPIC_API_KEY": "test",
        "ANTHROPIC_BASE_URL": server.anthropic_url,
    }
    return subprocess.run(
        [sys.executable, *how],
        cwd=folder,
        env=kept | given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_table_has_every_setting() -> None:
    """The table lists the settings in the order of the class, and no others."""
    assert list(settings_table()) == [field.name for field in dataclasses.fields(Settings)]


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_the_table_says_what_the_code_does(field: dataclasses.Field[object]) -> None:
    """Variable, default and standard variables of a setting are those of the code."""
    name, default, also, *_ = settings_table()[field.name]

    assert name == variable(field.name)
    assert default == shown(field.default)
    assert also == ", ".join(field.metadata["also"])


def test_every_name_of_ours_is_documented() -> None:
    """Each attribute, event and metric that begins with our prefix stands on the page of names."""
    page = (DOCS / "attributes.md").read_text()

    assert {name for name in names_of_ours() if f"`{name}`" not in page} == set()


def test_every_metric_of_the_convention_is_documented() -> None:
    """The released and the latest names of the convention's metrics stand on the page of names."""
    page = (DOCS / "attributes.md").read_text()
    names = {*semconv.RELEASED.values(), *semconv.LATEST.values()}

    assert {name for name in names if f"`{name}`" not in page} == set()


def test_every_key_of_a_flat_line_is_documented() -> None:
    """The table of keys has those of the code, in their order, each with its attribute."""
    section = (DOCS / "streams.md").read_text().split("## Keys")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .*?`([a-z_.0-9]+)`", section, re.MULTILINE)
    facts = [(key, attribute) for attribute, (key, _) in (FACTS | CONTENT).items()]

    assert rows == [("service", semconv.SERVICE_NAME), *facts]


def test_no_documented_name_of_ours_is_invented() -> None:
    """Each name with our prefix on the page of names exists in the code."""
    page = (DOCS / "attributes.md").read_text()
    named = set(re.findall(r"`(otel_stream\.[a-z0-9_.]*[a-z0-9_])`", page))

    assert named - names_of_ours() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file, and its anchor to a heading there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file) if file else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            assert anchor in [slug(heading) for heading in headings], target


def slug(heading: str) -> str:
    """A heading's anchor, as Markdown renderers make it."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if blocks_of(page, no_run=False)],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, provider: ProviderServer) -> None:
    """The Python blocks of a page run one after the other, each as a program, in one folder."""
    for code in blocks_of(page, no_run=False):
        done = run(code, tmp_path, provider)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        assert "otel-stream failed" not in done.stderr


def test_the_code_that_does_not_run_compiles() -> None:
    """Blocks that need more than a test has are Python at least."""
    for page in PAGES:
        for code in blocks_of(page, no_run=True):
            compile(code, page.name, "exec")
