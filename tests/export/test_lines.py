from __future__ import annotations

import os
from pathlib import Path

import pytest

from otel_stream.export.lines import LineFile

from .conftest import all_of, file_at, text_of


class TestWriting:
    def test_nothing_before_the_first_line(self, path: Path) -> None:
        """Until there is a line, there is neither file nor folder."""
        file_at(path)

        assert not path.parent.exists()

    def test_appends(self, path: Path) -> None:
        """What was there stays, and lines follow."""
        path.parent.mkdir()
        path.write_text("before\n")

        file_at(path).write("after\n")

        assert path.read_text() == "before\nafter\n"

    def test_returns_the_number_of_characters(self, path: Path) -> None:
        """`write` returns what a text stream's does."""
        assert file_at(path).write("é…\n") == 3

    def test_stays_where_it_began(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative path is below the folder that was current at construction."""
        path.parent.mkdir()
        monkeypatch.chdir(path.parent)
        file = LineFile(path.name, max_bytes=100, keep=1)
        monkeypatch.chdir("/")

        file.write("line\n")

        assert path.read_text() == "line\n"

    def test_after_a_torn_line(self, path: Path) -> None:
        """The piece that a killed writer left does not spoil the next line."""
        path.parent.mkdir()
        path.write_text('{"torn":')

        file_at(path).write("whole\n")

        assert path.read_text().splitlines() == ['{"torn":', "whole"]

    def test_closed(self, path: Path) -> None:
        """A closed file takes nothing, like any other."""
        file = file_at(path)
        file.write("line\n")
        file.close()

        assert file.closed
        with pytest.raises(ValueError, match="closed"):
            file.write("more\n")

    def test_removed_folder(self, path: Path) -> None:
        """When somebody removes the folder, the next line makes it again."""
        file = file_at(path)
        file.write("gone\n")
        for each in path.parent.iterdir():
            each.unlink()
        path.parent.rmdir()

        file.write("here\n")

        assert path.read_text() == "here\n"


class TestRotation:
    def test_before_the_bound(self, path: Path) -> None:
        """The line that would pass the bound begins a new file; the older ones are numbered."""
        file = file_at(path, max_bytes=8, keep=2)
        for line in ("one\n", "two\n", "three\n", "four\n"):
            file.write(line)

        assert [each.read_text() for each in all_of(path)] == ["one\ntwo\n", "three\n", "four\n"]

    def test_oldest_goes(self, path: Path) -> None:
        """No more rotated files stay than are to be kept."""
        file = file_at(path, max_bytes=1, keep=2)
        for number in range(6):
            file.write(f"{number}\n")

        assert text_of(path) == "3\n4\n5\n"

    def test_none_kept(self, path: Path) -> None:
        """With none to keep, the file begins again."""
        file = file_at(path, max_bytes=1, keep=0)
        file.write("old\n")
        file.write("new\n")

        assert [path] == all_of(path)
        assert path.read_text() == "new\n"

    def test_fewer_kept_than_before(self, path: Path) -> None:
        """Rotated files of a time when more were kept are removed."""
        path.parent.mkdir()
        for number in range(1, 6):
            Path(f"{path}.{number}").write_text("old\n")
        file = file_at(path, max_bytes=1, keep=2)
        file.write("one\n")
        file.write("two\n")

        assert text_of(path) == "old\none\ntwo\n"

    def test_long_line(self, path: Path) -> None:
        """A line longer than the bound is written whole, alone in its file."""
        file = file_at(path, max_bytes=4, keep=3)
        for line in ("a\n", "very long\n", "b\n"):
            file.write(line)

        assert [each.read_text() for each in all_of(path)] == ["a\n", "very long\n", "b\n"]

    def test_rotated_by_another_process(self, path: Path) -> None:
        """Who finds the file rotated by somebody else goes on in the new one."""
        mine, other = (file_at(path, max_bytes=8, keep=3) for _ in range(2))
        mine.write("first\n")
        other.write("second\n")

        mine.write("a\n")

        assert path.read_text().removeprefix("second\n") == "a\n"
        assert text_of(path) == "first\nsecond\na\n"


class TestFailing:
    def test_full_disk(self, path: Path) -> None:
        """A full disk is an error to who writes."""
        path.parent.mkdir()
        path.symlink_to("/dev/full")

        with pytest.raises(OSError, match="No space left"):
            file_at(path).write("line\n")

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that cannot be made is an error to who writes, each time."""
        (tmp_path / "file").write_text("")
        file = file_at(tmp_path / "file" / "traces.jsonl")

        for _ in range(2):
            with pytest.raises(FileExistsError):
                file.write("line\n")

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
    def test_read_only_folder(self, path: Path) -> None:
        """So is a folder that must not be written to."""
        path.parent.mkdir(mode=0o500)

        with pytest.raises(PermissionError):
            file_at(path).write("line\n")

    def test_works_again(self, path: Path) -> None:
        """When there is room again, lines follow."""
        path.parent.mkdir()
        path.symlink_to("/dev/full")
        file = file_at(path)
        with pytest.raises(OSError, match="No space left"):
            file.write("lost\n")
        path.unlink()

        file.write("kept\n")

        assert path.read_text() == "kept\n"
