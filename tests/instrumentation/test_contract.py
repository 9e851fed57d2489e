"""The contract: with us, an application sees what it saw without us, and each call is told once.

Every way to call × sync and async × every way to end × with and without a current span × with the
SDK's own span switched on and off, against the same script on loopback.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .agreement import (
    assert_nothing_left_over,
    assert_one_true_span,
    assert_same_for_application,
    assert_same_on_the_wire,
)
from .stage import Stage
from .tables import WAYS
from .ways import Way

pytestmark = pytest.mark.sdk_matrix

WHOLE = os.environ.get("OTEL_STREAM_CONTRACT") == "whole"
CASES = [
    (way, parent)
    for number, way in enumerate(WAYS)
    for parent in (False, True)
    if WHOLE or number % 2 == parent
]
"""Every way, half of them in a span; `OTEL_STREAM_CONTRACT=whole` runs each alone and in one."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Server and event loop, for all of them."""
    stage = Stage([way for way, _ in CASES])
    yield stage
    stage.close()


@pytest.mark.parametrize(
    ("way", "parent"),
    [
        pytest.param(*case, id=f"{case[0].name}-{'in_span' if case[1] else 'alone'}")
        for case in CASES
    ],
)
def test_contract(stage: Stage, way: Way, parent: bool) -> None:
    """The application sees no difference, one span tells the truth, and nothing is left over."""
    bare = stage.bare(way)
    traced = stage.traced(way, parent=parent)

    assert_same_for_application(way, bare, traced)
    assert_same_on_the_wire(bare, traced)
    assert_one_true_span(way, traced)
    assert_nothing_left_over(bare, traced)
