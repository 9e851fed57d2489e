"""Which files are read, in which order, and how they fall into lines."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from otel_stream.flat.files import Source, lines, sources

ROTATED = [
    "traces-2026-11-21T18-00-00.000-size.jsonl.gz",
    "traces-2026-11-21T19-00-00.000-time.jsonl",
    "traces.jsonl.10",
    "traces.jsonl.2",
    "traces.jsonl.1",
    "traces.jsonl",
]


def read(*names: Path | str) -> tuple[list[bytes | None], list[str]]:
    """The lines of all files, and the complaints."""
    complaints: list[str] = []
    found = [
        line
        for source in sources([str(name) for name in names], complaints.append)
        for line in lines(source, complaints.append)
    ]
    return found, complaints


def cut(data: bytes, longest: int) -> list[bytes | None]:
    source = Source("x", io.BufferedReader(io.BytesIO(data)))
    return list(lines(source, pytest.fail, longest))


class TestFolder:
    def test_oldest_first(self, tmp_path: Path) -> None:
        """Rotated files come before the one that they came from, the oldest first."""
        for name in reversed(ROTATED):
            data = f"{name}\n".encode()
            (tmp_path / name).write_bytes(gzip.compress(data) if ".gz" in name else data)

        assert read(tmp_path) == ([f"{name}\n".encode() for name in ROTATED], [])

    def test_only_traces(self, tmp_path: Path) -> None:
        """Other signals, locks and whatever else lies there are left alone."""
        for name in ("metrics.jsonl", ".traces.jsonl.lock", "traces.jsonl.bak", "my-traces.jsonl"):
            (tmp_path / name).write_text("no\n")
        (tmp_path / "traces.jsonl.1").mkdir()
        (tmp_path / "traces.jsonl").write_text("yes\n")

        assert read(tmp_path) == ([b"yes\n"], [])

    def test_rotation_while_reading(self, tmp_path: Path) -> None:
        """A rotation in the middle hides nothing: all files are opened at the beginning."""
        for name in ("traces.jsonl", "traces.jsonl.1"):
            (tmp_path / name).write_text(f"{name}\n")
        found = sources([str(tmp_path)], pytest.fail)
        first = next(found)
        (tmp_path / "traces.jsonl.1").rename(tmp_path / "traces.jsonl.2")
        (tmp_path / "traces.jsonl").rename(tmp_path / "traces.jsonl.1")

        read = [line for source in (first, *found) for line in lines(source, pytest.fail)]
        assert read == [b"traces.jsonl.1\n", b"traces.jsonl\n"]

    def test_empty(self, tmp_path: Path) -> None:
        """A folder without any is complained of."""
        assert read(tmp_path) == ([], [f"{tmp_path}: there are no files of traces in this folder"])


class TestFile:
    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is complained of, and the others are read."""
        (tmp_path / "there").write_text("yes\n")
        missing = tmp_path / "missing"

        assert read(missing, tmp_path / "there") == (
            [b"yes\n"],
            [f"{missing}: No such file or directory"],
        )

    def test_compressed_file_cut_short(self, tmp_path: Path) -> None:
        """A compressed file that was cut is complained of, without a traceback."""
        path = tmp_path / "traces.jsonl.gz"
        path.write_bytes(gzip.compress(b"x" * 99)[:-4])
        found, [complaint] = read(path)

        assert found == []
        assert complaint.startswith(f"{path}: Compressed file ended")

    @pytest.mark.parametrize("data", [b"\x1f\x8b garbage", b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff"])
    def test_not_compressed(self, tmp_path: Path, data: bytes) -> None:
        """Nor does what only looks like one."""
        (tmp_path / "x").write_bytes(data)
        found, complaints = read(tmp_path / "x")

        assert (found, len(complaints)) == ([], 1)

    def test_zstd(self, tmp_path: Path) -> None:
        """What is compressed in a way that is not read here is never passed over in silence."""
        (tmp_path / "x").write_bytes(b"\x28\xb5\x2f\xfd.....")

        assert read(tmp_path / "x") == (
            [],
            [f"{tmp_path / 'x'}: zstd is not read here: zstd -dc FILE | otel-stream streams -"],
        )


class TestLines:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", []),
            (b"a\n\nb", [b"a\n", b"\n", b"b"]),
            (b"1234567\n12345678\n1\n", [b"1234567\n", None, b"1\n"]),
            (b"x" * 3_000_000 + b"\nx\n", [None, b"x\n"]),
            (b"x" * 3_000_000, [None]),
        ],
    )
    def test_length_is_bounded(self, data: bytes, expected: list[bytes | None]) -> None:
        """A line of more than so many bytes is none, and the next one begins after it."""
        assert cut(data, longest=8) == expected
