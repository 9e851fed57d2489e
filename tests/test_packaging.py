"""What `pyproject.toml`, the folders, the lock files and the table of instrumentors say agrees."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import otel_stream

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = ["requirements-dev.lock", "requirements-oldest.lock", "docs/requirements.lock"]

FOLDERS = sorted(path.parent.name for path in (ROOT / "instrumentation").glob("*/__init__.py"))


def table() -> dict[str, list[str]]:
    """The rows of instrumentation/README.md by library, markup taken off."""
    text = (ROOT / "instrumentation" / "README.md").read_text()
    rows = re.findall(r"^\| (`.*) \|$", text, re.MULTILINE)
    cells = [[cell.strip().strip("`") for cell in row.split(" | ")] for row in rows]
    return {row[0]: row[1:] for row in cells}


LIBRARIES = sorted(name for name, (extra, *_) in table().items() if extra != "–")
"""A folder may cover several that speak to one server, or none: whoever makes its requests."""


def pins(lock: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def bounds() -> dict[str, str]:
    """The declared lower bound of each dependency, extras included."""
    declared = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
    named = (re.sub(r"\[\w+\]", "", one) for one in declared if not one.startswith("otel-stream["))
    return dict(one.split(">=") for one in named)


def test_every_folder_is_in_the_wheel() -> None:
    """The wheel holds the core and each instrumentor's folder, and nothing else."""
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert packages == ["otel_stream", *(f"instrumentation/{name}" for name in FOLDERS)]


def test_every_folder_has_its_entry_point() -> None:
    """Each instrumentor is found by OpenTelemetry's loader, by the name of its folder."""
    entry_points = PROJECT["entry-points"]["opentelemetry_instrumentor"]

    assert sorted(entry_points) == FOLDERS
    assert [target.split(":")[0] for target in entry_points.values()] == sorted(entry_points)


def test_every_library_has_its_extra() -> None:
    """Each library has an extra of its own name that requires it, and `all` has all extras."""
    assert [EXTRAS[name][0].split(">=")[0] for name in LIBRARIES] == LIBRARIES
    assert EXTRAS["all"] == [f"otel-stream[{','.join(sorted(set(EXTRAS) - {'all'}))}]"]


def test_no_extra_is_read_by_the_loader_of_opentelemetry() -> None:
    """No extra has a name under which the loader would demand all libraries at once."""
    assert not {"instruments", "instruments-any"} & set(EXTRAS)


def test_the_table_has_a_row_for_every_folder() -> None:
    """instrumentation/README.md names each library with its extra, package and entry point."""
    rows = table()

    assert sorted({package for *_, package, _ in rows.values()}) == FOLDERS
    for library, (extra, *_, package, entry_point) in rows.items():
        assert (extra, entry_point) == (library if library in LIBRARIES else "–", package)


def test_the_table_names_the_versions_that_are_tested() -> None:
    """The tested versions are the extra's lower bound and the one in the development lock."""
    newest = pins("requirements-dev.lock")
    tested = {library: cells[1] for library, cells in table().items() if cells[0] != "–"}

    assert tested == {name: f"{bounds()[name]}, {newest[name]}" for name in LIBRARIES}


def test_users_get_lower_bounds_only() -> None:
    """No dependency is held back by an upper bound or a pin."""
    declared = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]

    assert [one for one in declared if re.search(r"<|==|~=|!=", one)] == []


def test_the_oldest_lock_holds_the_lower_bounds() -> None:
    """The matrix runs with exactly the oldest versions that are promised."""
    oldest = pins("requirements-oldest.lock")

    assert {name: oldest[name] for name in bounds()} == bounds()


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_host(lock: str) -> None:
    """A lock file installs from whatever index the machine uses, and every file is hashed."""
    text = (ROOT / lock).read_text()

    assert "://" not in text
    assert "index-url" not in text
    assert re.findall(r"^[\w.-]+==.*\n(?!    --hash=)", text, re.MULTILINE) == []


@pytest.mark.parametrize("package", ["otel_stream", *(f"instrumentation/{n}" for n in FOLDERS)])
def test_packages_are_typed(package: str) -> None:
    """Type checkers of users read our annotations."""
    assert (ROOT / package / "py.typed").is_file()


def test_the_version_is_one() -> None:
    """The package says the version that it is published under."""
    assert otel_stream.__version__ == PROJECT["version"]


def test_instrumentors_do_not_import_their_library() -> None:
    """Loading every entry point leaves the provider SDKs unimported."""
    code = "\n".join(
        [
            "import sys",
            *(f"import {name}" for name in FOLDERS),
            f"print([name for name in {LIBRARIES!r} if name in sys.modules])",
        ]
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
