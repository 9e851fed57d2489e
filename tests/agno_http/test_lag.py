"""The lag of a parser of the program's own: first text handed out, against first on the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

import otel_stream
from otel_stream.testing import Captured

from .server import Answer, WireServer, stream
from .streams import joke, objects

Serve = Callable[[Answer], WireServer]
PATH = "/playground/agents/genie/runs"
GAP = 0.06


def one_late(data: Iterator[bytes]) -> Iterator[str]:
    """The text of a parser that releases each object when the next one begins."""
    rest = ""
    for piece in data:
        whole, brace, rest = (rest + piece.decode()).rpartition("}{\n")
        if brace:
            yield json.loads(whole + "}").get("content") or ""
            rest = "{\n" + rest


def at_once(data: Iterator[bytes]) -> Iterator[str]:
    """The text of a parser that knows where an object ends. One comes in a piece."""
    for piece in data:
        yield json.loads(piece).get("content") or ""


def lag_of(captured: Captured) -> float:
    return float((captured.span("chat").attributes or {})["otel_stream.consumer.lag"])  # type: ignore[arg-type]


@pytest.mark.parametrize(("parser", "late"), [(one_late, GAP), (at_once, 0.0)])
def test_a_parser_with_a_request_inside(
    parser: Any, late: float, serve: Serve, captured: Captured
) -> None:
    """A parser that waits for the next event shows one gap; one that does not shows none."""
    url = serve(stream(*objects(joke()), gap=GAP)).url + PATH

    def texts() -> Iterator[str]:
        with httpx.stream("POST", url, trust_env=False) as response:
            yield from parser(response.iter_bytes())

    list(otel_stream.trace_stream(texts()))

    assert lag_of(captured) == pytest.approx(late, abs=GAP / 2)
    assert captured.span("invoke_agent genie").parent is not None


def test_a_response_that_is_there_before(serve: Serve, captured: Captured) -> None:
    """The response may come from elsewhere: it is the reads inside the parser that count."""
    url = serve(stream(*objects(joke()), gap=GAP)).url + PATH
    with httpx.stream("POST", url, trust_env=False) as response:
        list(otel_stream.trace_stream(one_late(response.iter_bytes())))

    assert lag_of(captured) == pytest.approx(GAP, abs=GAP / 2)


async def test_an_async_parser(serve: Serve, captured: Captured) -> None:
    """The same with a loop."""
    url = serve(stream(*objects(joke()), gap=GAP)).url + PATH

    async def texts() -> AsyncIterator[str]:
        late = ""
        async with (
            httpx.AsyncClient(trust_env=False) as client,
            client.stream("POST", url) as response,
        ):
            async for piece in response.aiter_bytes():
                yield late
                late = json.loads(piece).get("content") or ""

    async for _ in otel_stream.trace_stream(texts()):
        pass

    assert lag_of(captured) == pytest.approx(GAP, abs=GAP / 2)


def test_a_stream_with_no_wire(captured: Captured) -> None:
    """Where nobody has seen a wire there is no lag to tell."""
    list(otel_stream.trace_stream(iter(["a"])))

    assert "otel_stream.consumer.lag" not in (captured.span().attributes or {})
