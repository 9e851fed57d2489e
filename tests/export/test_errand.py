from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from otel_stream.export.errand import Errands


@pytest.fixture
def errands() -> Iterator[Errands]:
    errands = Errands("errands of a test")
    yield errands
    errands.stop()


def soon() -> float:
    return time.monotonic() + 5.0


def test_result(errands: Errands) -> None:
    """Whether a call went well is what it returned."""
    sent = [errands.send(lambda: True), errands.send(lambda: False)]

    assert [each.wait(soon()) and each.went_well for each in sent] == [True, False]


def test_nobody_waits_longer_than_he_likes(errands: Errands) -> None:
    """A call that hangs is left behind."""
    hanging = threading.Event()
    errand = errands.send(hanging.wait)

    assert not errand.wait(time.monotonic() + 0.01)
    hanging.set()
    assert errand.wait(soon())


def test_what_hangs_does_not_pile_up(errands: Errands) -> None:
    """Calls handed over while one hangs are one call."""
    hanging, begun = threading.Event(), threading.Event()
    errands.send_once(lambda: begun.set() or hanging.wait())
    begun.wait(5.0)

    waiting = {errands.send_once(lambda: True) for _ in range(10)}

    hanging.set()
    assert len(waiting) == 1
    assert waiting.pop().wait(soon())


def test_a_call_that_began_is_not_joined(errands: Errands) -> None:
    """What is handed over after a call began is another call, since it may have missed the news."""
    hanging, begun = threading.Event(), threading.Event()
    first = errands.send_once(lambda: begun.set() or hanging.wait())
    begun.wait(5.0)
    second = errands.send_once(lambda: True)
    hanging.set()

    assert second is not first
    assert second.wait(soon())


@pytest.mark.usefixtures("lenient")
def test_a_call_that_raises(errands: Errands) -> None:
    """A call that raises did not go well, and the next one is made."""
    sent = [errands.send(lambda: bool(1 / 0)), errands.send(lambda: True)]

    assert [each.wait(soon()) and each.went_well for each in sent] == [False, True]


def test_stop() -> None:
    """Stopped, the thread ends after what waits, so that nothing is left over."""
    errands = Errands("errands that end")
    last = errands.send(lambda: True)
    errands.stop()
    threads = [each for each in threading.enumerate() if each.name == "errands that end"]
    for thread in threads:
        thread.join(5.0)

    assert last.went_well
    assert not any(thread.is_alive() for thread in threads)
