"""What `trace_stream` returns has the protocols of what it was given, and no others."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import pytest
import wrapt

from otel_stream import semconv, trace_stream
from otel_stream.testing import Captured
from tests.test_generic import WORDS, Answer, Both, facts, later

pytestmark = pytest.mark.sdk_matrix

PROTOCOLS = [
    abc.Iterable, abc.Iterator, abc.Sized, abc.Container, abc.Hashable, abc.Reversible,
    abc.AsyncIterable, abc.AsyncIterator, abc.Callable, abc.Awaitable,
    AbstractContextManager, AbstractAsyncContextManager,
]  # fmt: skip

METHODS = [
    "__iter__", "__next__", "__aiter__", "__anext__", "__enter__", "__exit__", "__aenter__",
    "__aexit__", "__len__", "__contains__", "__getitem__", "__add__", "__await__", "__call__",
]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [list, tuple, iter, lambda w: (x for x in w), later, lambda _: Answer(), lambda _: Both()],
)
def test_has_what_it_stands_for(kind: Callable[[Any], Any], captured: Captured) -> None:
    """The methods of a protocol are there where they are without us, and nowhere else."""
    given = kind(WORDS)
    stream = trace_stream(given)

    assert [one for one in PROTOCOLS if isinstance(stream, one)] == [
        one for one in PROTOCOLS if isinstance(given, one)
    ]
    assert [hasattr(stream, name) for name in METHODS] == [hasattr(given, name) for name in METHODS]
    assert (repr(stream), bool(stream), stream == given) == (repr(given), True, True)


def test_operators(captured: Captured) -> None:
    """A list can be asked, changed and compared as a list."""
    words: Any = [*WORDS]
    stream = trace_stream(words)
    stream.append("!")
    stream[0] = "Hi"
    del stream[1]

    assert (len(stream), stream[-1], "Hi" in stream, words) == (2, "!", True, ["Hi", "!"])
    assert (stream * 2, stream == ["Hi", "!"]) == (["Hi", "!"] * 2, True)
    with pytest.raises(TypeError, match="unhashable"):
        hash(stream)


def test_in_a_generator(captured: Captured) -> None:
    """What has no `__contains__` is searched by reading it."""
    assert " you" in trace_stream(word for word in WORDS)


async def test_behind_a_proxy(captured: Captured) -> None:
    """A proxy of an async generator, which looks as if it could be read in any loop."""

    class Proxy(wrapt.ObjectProxy):  # type: ignore[misc,type-arg]
        def __aiter__(self) -> Any:
            return self.__wrapped__.__aiter__()

    stream = trace_stream(Proxy(later(WORDS)))

    assert [word async for word in stream] == WORDS
    assert facts(captured) == ("completed", 2, 9)


async def test_traced_twice(captured: Captured) -> None:
    """What is traced already is traced once more, as the stream that it is."""
    stream = trace_stream(trace_stream(later(WORDS)))

    assert [word async for word in stream] == WORDS
    assert [(span.attributes or {})[semconv.CHUNK_COUNT] for span in captured.spans()] == [2, 2]
