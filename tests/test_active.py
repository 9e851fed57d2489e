"""The number of open streams, from threads, after a fork, and with any number of labels."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otel_stream.active import Active
from otel_stream.prepared import Prepared


def counts(active: Active) -> dict[Any, int | float]:
    """What is observed, by model."""
    return {one.attributes["model"]: one.value for one in active.observe(None) if one.attributes}


def test_ended_streams_leave_zero() -> None:
    """Labels that had a stream are told with 0, so that their series goes down."""
    active, labels = Active(), Prepared({"model": "m"})
    active.change(labels, 1)
    active.change(labels, 1)
    before = counts(active)
    active.change(labels, -1)
    active.change(labels, -1)

    assert (before, counts(active)) == ({"m": 2}, {"m": 0})


def test_same_labels_twice() -> None:
    """Two sets with the same labels are one series."""
    active = Active()
    active.change(Prepared({"model": "m"}), 1)
    active.change(Prepared({"model": "m"}), 1)

    assert [one.value for one in active.observe(None)] == [2]


def test_many_labels() -> None:
    """Of very many labels those without an open stream are forgotten."""
    active = Active()
    active.change(Prepared({"model": "open"}), 1)
    for number in range(3_000):
        labels = Prepared({"model": number})
        active.change(labels, 1)
        active.change(labels, -1)

    assert counts(active)["open"] == 1
    assert len(counts(active)) <= 1_024


def test_threads() -> None:
    """Counts are exact when streams begin and end in many threads."""
    active, labels = Active(), Prepared({"model": "m"})

    def many(number: int) -> None:
        for _ in range(2_000):
            active.change(labels, 1)
            active.change(labels, -1)
        active.change(labels, 1)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(many, range(8)))

    assert counts(active) == {"m": 8}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork() -> None:
    """A forked child has none of its parent's streams."""
    active = Active()
    active.change(Prepared({"model": "m"}), 1)
    child = os.fork()
    if child == 0:
        os._exit(len(counts(active)))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert counts(active) == {"m": 1}
