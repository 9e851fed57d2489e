"""The table of variables in collector-config/README.md says what the files do."""

from __future__ import annotations

import re

from tests.collector_config.configuration import FOLDER, Variable, variables


def documented() -> list[Variable]:
    """The rows of the table, one for each file that a row names."""
    page = (FOLDER / "README.md").read_text().split("## Variables")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .+ \|$", page, re.MULTILINE)
    return [
        Variable(name, read(default), file)
        for name, default, files in rows
        for file in files.split(", ")
    ]


def read(default: str) -> str | None:
    """A default of the table as the files write it."""
    if default in ("must be set", "empty"):
        return None if default == "must be set" else ""
    if ", else " in default:
        variable, other = default.replace("`", "").split(", else ")
        return f"${{env:{variable}:-{other}}}"
    return default.strip("`")


def test_the_table_is_that_of_the_files() -> None:
    """Each variable stands there once for each file that reads it, with that file's default."""
    found = documented()

    assert set(found) == variables()
    assert len(found) == len(set(found))
