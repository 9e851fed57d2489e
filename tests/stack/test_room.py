"""The folder of a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.room import RoomError, room


def test_a_temporary_folder_goes() -> None:
    """Without a folder there is one for as long as it is needed."""
    with room(None) as folder:
        (folder / "file").write_text("data")

    assert not folder.exists()


def test_a_given_folder_stays(tmp_path: Path) -> None:
    """A given folder is made, and stays with what is in it."""
    with room(str(tmp_path / "a" / "b")) as folder:
        (folder / "file").write_text("data")

    assert (tmp_path / "a" / "b" / "file").read_text() == "data"


def test_two_stacks_in_one_folder(tmp_path: Path) -> None:
    """A second stack in the same folder is told so, until the first has gone."""
    with room(str(tmp_path)), pytest.raises(RoomError, match="another stack"), room(str(tmp_path)):
        pass

    with room(str(tmp_path)) as folder:
        assert folder == tmp_path


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A path that cannot be a folder is an error in a line."""
    (tmp_path / "file").write_text("")

    with pytest.raises(RoomError, match="file: "), room(str(tmp_path / "file")):
        pass
