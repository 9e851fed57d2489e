"""What the tests of the instrumentors share: telemetry, a scripted provider, clients for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otel_stream.testing import Captured, ProviderServer, Script

from .clients import client_of

Serve = Callable[..., None]
Client = Callable[..., Any]
Attributes = Callable[[], dict[str, Any]]
Parts = Callable[[], list[dict[str, Any]]]

HI = [{"role": "user", "content": "Hi"}]
CHAT: dict[str, Any] = {"model": "gpt-5-mini", "messages": HI}
MESSAGE: dict[str, Any] = {"model": "claude-opus-5", "messages": HI, "max_tokens": 64}


@pytest.fixture
def captured(otel_stream_captured: Captured) -> Captured:
    """What is recorded, with the SDKs instrumented."""
    return otel_stream_captured


@pytest.fixture(scope="session")
def _provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture
def server(_provider: ProviderServer) -> ProviderServer:
    """A scripted provider."""
    _provider.reset()
    return _provider


@pytest.fixture
def serve(server: ProviderServer) -> Serve:
    """Has the next request answered: with JSON, a script, or the events of a stream."""

    def answer(answer: Any, **options: Any) -> None:
        if isinstance(answer, dict):
            answer = Script.json(answer, **options)
        elif not isinstance(answer, Script):
            answer = Script.stream(answer, **options)
        server.script(None, answer)

    return answer


@pytest.fixture
def client(server: ProviderServer) -> Iterator[Client]:
    """Makes sync clients of an SDK."""
    made: list[Any] = []

    def make(sdk: str, **options: Any) -> Any:
        made.append(client_of(sdk, server, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def attributes(captured: Captured) -> Attributes:
    """The attributes of the only span."""
    return lambda: dict(captured.span().attributes or {})


@pytest.fixture
def parts(attributes: Attributes) -> Parts:
    """The parts of the only answer's first message."""
    return lambda: json.loads(attributes()["gen_ai.output.messages"])[0]["parts"]


def with_usage(spans: Iterable[ReadableSpan]) -> list[ReadableSpan]:
    """Those that tokens could be counted from."""
    return [
        span
        for span in spans
        if any(name.startswith("gen_ai.usage.") for name in span.attributes or ())
    ]


def ours(found: dict[str, Any]) -> dict[str, Any]:
    """The attributes that are not the convention's."""
    return {name: value for name, value in found.items() if name.startswith("otel_stream.")}
