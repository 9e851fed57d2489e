from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from otel_stream.testing import Captured, ProviderServer, Script

from .apis import Api

# Making one takes long; nothing here is encrypted.
TLS = ssl.create_default_context()

Serve = Callable[..., None]


@pytest.fixture
def captured(otel_stream_captured: Captured) -> Captured:
    """What is recorded, with the SDKs instrumented."""
    return otel_stream_captured


@pytest.fixture(scope="session")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(provider: ProviderServer) -> ProviderServer:
    provider.reset()
    return provider


@pytest.fixture
def serve(server: ProviderServer) -> Serve:
    """Have the next request answered with these events."""

    def answer(events: Iterable[bytes], **options: Any) -> None:
        server.script(None, Script.stream(events, **options))

    return answer


@pytest.fixture
def client_for(server: ProviderServer) -> Iterator[Callable[..., Any]]:
    """Makes sync or async clients for an API."""
    made: list[Any] = []

    def client(api: Api, asynchronous: bool = False, **options: Any) -> Any:
        sdk: Any = anthropic if api.is_anthropic else openai
        name = "Anthropic" if api.is_anthropic else "OpenAI"
        transport = sdk.DefaultAsyncHttpxClient if asynchronous else sdk.DefaultHttpxClient
        url = server.anthropic_url if api.is_anthropic else server.openai_url
        given: dict[str, Any] = {"base_url": url, "api_key": "test", "max_retries": 0}
        given["http_client"] = transport(verify=TLS, trust_env=False)
        made.append(getattr(sdk, f"Async{name}" if asynchronous else name)(**{**given, **options}))
        return made[-1]

    yield client
    for one in made:
        if not hasattr(one, "__aenter__"):
            one.close()


@pytest.fixture
def text_of(captured: Captured) -> Callable[[], str]:
    """The text of the only answer's first choice."""

    def text() -> str:
        messages = json.loads(captured.span().attributes["gen_ai.output.messages"])
        parts = messages[0]["parts"]
        return "".join(part["content"] for part in parts if part["type"] == "text")

    return text
