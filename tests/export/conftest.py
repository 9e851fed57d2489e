from __future__ import annotations

from pathlib import Path

import pytest

from otel_stream.export.lines import LineFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "traces.jsonl"


def file_at(path: Path, *, max_bytes: int = 1_000_000, keep: int = 4) -> LineFile:
    return LineFile(str(path), max_bytes=max_bytes, keep=keep)


def all_of(path: Path) -> list[Path]:
    """The file and its rotated ones, the oldest first."""
    rotated = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: int(each.suffix[1:]))
    return [*reversed(rotated), path]


def text_of(path: Path) -> str:
    return "".join(each.read_text() for each in all_of(path))
