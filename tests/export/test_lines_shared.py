"""A line file that several processes share: forked ones, and ones that are killed halfway."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_stream.export.lines import LineFile

from .conftest import all_of, file_at, text_of

# From 3.12 on Python warns of every fork beside threads, such as those of other tests.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def in_child(act: Callable[[], object]) -> int:
    """Run `act` in a forked process. Returns its id."""
    child = os.fork()
    if child:
        return child
    try:
        signal.alarm(20)  # rather than to hang for ever
        act()
        os._exit(0)
    finally:
        os._exit(1)


def succeeded(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_half_a_line(path: Path) -> None:
    """Nothing stays of a line that did not fit."""
    file = file_at(path)
    file.write("before\n")

    def write_too_much() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        with pytest.raises(OSError, match="too large"):
            file.write("too much\n")

    assert succeeded(in_child(write_too_much))
    assert path.read_text() == "before\n"


class TestLock:
    def test_held_while_writing(self, path: Path) -> None:
        """While a line is appended, and the file perhaps rotated, nobody else can have the lock."""
        other = file_at(path)

        class Trying(LineFile):
            def _append(self, data: bytes) -> None:
                with pytest.raises(BlockingIOError):
                    fcntl.flock(other._lock.open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                super()._append(data)

        Trying(str(path), max_bytes=100, keep=1).write("line\n")

        assert path.read_text() == "line\n"

    def test_removed_while_waiting(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A lock file that was removed while it was waited for is no lock: another one is taken."""
        file = file_at(path)
        really, removed = fcntl.flock, []

        def flock(lock: int, how: int) -> None:
            really(lock, how)
            if not removed:
                removed.append(Path(file._lock.path).unlink())

        monkeypatch.setattr(fcntl, "flock", flock)
        file.write("line\n")

        assert file._lock.current()
        assert path.read_text() == "line\n"


class TestFork:
    def test_child_writes_too(self, path: Path) -> None:
        """A forked child goes on writing, and so does its parent."""
        file = file_at(path)
        file.write("before\n")

        assert succeeded(in_child(lambda: file.write("child\n")))
        file.write("parent\n")

        assert path.read_text() == "before\nchild\nparent\n"

    def test_child_has_a_lock_of_its_own(self, path: Path) -> None:
        """What the parent holds over the fork, the child does not hold, and has to wait for."""
        file = file_at(path)

        def try_to_lock() -> None:
            with pytest.raises(BlockingIOError):
                fcntl.flock(file._lock.open(), fcntl.LOCK_EX | fcntl.LOCK_NB)

        with file._locked():
            assert succeeded(in_child(try_to_lock))

    def test_child_of_a_writing_parent(self, path: Path) -> None:
        """A child that is born while another thread of the parent writes does not wait for ever."""
        file = file_at(path)
        with file._mine:
            child = in_child(lambda: file.write("child\n"))

        assert succeeded(child)


def write_all(path: Path, max_bytes: int, writer: str, sizes: Sequence[int]) -> None:
    """Write a line of each size from two threads that share a file."""
    file = file_at(path, max_bytes=max_bytes, keep=10_000)

    def write(thread: int) -> None:
        for number, size in enumerate(sizes):
            file.write(f"{writer}-{thread}-{number} {'x' * size}\n")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sizes=st.lists(st.integers(0, 300), min_size=20, max_size=30),
    max_bytes=st.integers(500, 3_000),
    writers=st.integers(1, 3),
)
def test_many_writers(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], max_bytes: int, writers: int
) -> None:
    """Writers in threads and processes lose and split no line, and no file passes its bound."""
    path = tmp_path_factory.mktemp("many") / "traces.jsonl"
    waiting, start = os.pipe()

    def write_at_once(writer: str) -> None:
        os.close(start)
        os.read(waiting, 1)
        write_all(path, max_bytes, writer, sizes)

    children = [in_child(partial(write_at_once, str(number))) for number in range(writers)]
    os.close(start)
    assert all([succeeded(child) for child in children])
    os.close(waiting)

    wanted = Counter(
        f"{writer}-{thread}-{number} {'x' * size}"
        for writer in range(writers)
        for thread in range(2)
        for number, size in enumerate(sizes)
    )
    assert Counter(text_of(path).splitlines()) == wanted
    for each in all_of(path):
        assert each.stat().st_size <= max_bytes or len(each.read_text().splitlines()) == 1
