"""`examples/demo.py`, run in a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["DEMO", "Ended", "lines_of", "run"]

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"


class Ended(NamedTuple):
    """How a demo ended, and the folder it ran in."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def exported(self) -> list[dict[str, Any]]:
        """The spans in its file, in the form that they have there."""
        return [
            span
            for line in lines_of(self.folder)
            for resource in json.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    @property
    def spans(self) -> dict[str, dict[str, Any]]:
        """The attributes of the spans in its file, by scene."""
        spans = [
            {one["key"]: next(iter(one["value"].values())) for one in span.get("attributes", [])}
            for span in self.exported
        ]
        return {span["demo.scene"]: span for span in spans if "demo.scene" in span}


def lines_of(folder: Path) -> list[str]:
    """The lines of the file of spans in a demo's folder."""
    return (folder / "otel-stream-data" / "traces.jsonl").read_text().splitlines()


def run(folder: Path, *arguments: str, **variables: str) -> Ended:
    """Run the demo in a pipe, in this folder, with these variables and no others of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    ended = subprocess.run(
        [sys.executable, str(DEMO), *arguments],
        check=False,
        cwd=folder,
        env={**clean, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr, folder)
