from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from otel_stream.testing import Captured, ProviderServer

# Making one takes long; nothing here is encrypted.
TLS = ssl.create_default_context()
KEY = "sk-proj-0123456789abcdefghij"


@pytest.fixture
def captured(otel_stream_captured: Captured) -> Captured:
    """What is recorded, with the SDKs instrumented."""
    return otel_stream_captured


@pytest.fixture
def server(otel_stream_server: ProviderServer) -> ProviderServer:
    return otel_stream_server


@pytest.fixture
def openai_client(server: ProviderServer) -> Iterator[openai.OpenAI]:
    http = openai.DefaultHttpxClient(verify=TLS, trust_env=False)
    options: Any = {"base_url": server.openai_url, "max_retries": 0, "http_client": http}
    with openai.OpenAI(api_key=KEY, **options) as client:
        yield client


@pytest.fixture
def anthropic_client(server: ProviderServer) -> Iterator[anthropic.Anthropic]:
    http = anthropic.DefaultHttpxClient(verify=TLS, trust_env=False)
    options: Any = {"base_url": server.anthropic_url, "max_retries": 0, "http_client": http}
    with anthropic.Anthropic(api_key=KEY, **options) as client:
        yield client


@pytest.fixture
def chat(openai_client: openai.OpenAI) -> Callable[..., Any]:
    """A streamed chat call."""

    def create(**more: Any) -> Any:
        messages: Any = [{"role": "user", "content": "Hi"}]
        return openai_client.chat.completions.create(
            model="gpt-5-mini", messages=messages, stream=True, **more
        )

    return create
