"""Texts for the tests of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from otel_stream.channel.cut import Cutter, Piece

Cut = Callable[..., list[Piece]]


def cut(text: str, size: int | None = None, **options: object) -> list[Piece]:
    """The messages of *text*, fed in deltas of *size* characters, or at once."""
    cutter = Cutter(**options)  # type: ignore[arg-type]
    step = size or max(1, len(text))
    deltas: Iterable[str] = (text[at : at + step] for at in range(0, len(text), step))
    found = [piece for delta in deltas for piece in cutter.feed(delta)]
    return [*found, *cutter.finish()]


@pytest.fixture(name="cut")
def cut_fixture() -> Cut:
    """Cuts a text."""
    return cut
