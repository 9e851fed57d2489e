"""What the span says of the request: parameters of the convention's types, provider, server."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from otel_stream.testing import (
    Captured,
    ChatStream,
    ProviderServer,
    chat_completion,
    chat_text,
    completion,
    message,
    response,
)
from otel_stream_anthropic import request

from .clients import http
from .conftest import CHAT, HI, MESSAGE, Attributes, Client, Serve

pytestmark = pytest.mark.sdk_matrix

REQUEST = "gen_ai.request."


def requested(found: dict[str, Any]) -> dict[str, Any]:
    """The request's attributes, without their prefix, but for the model."""
    return {
        name.removeprefix(REQUEST): value
        for name, value in found.items()
        if name.startswith(REQUEST) and name != "gen_ai.request.model"
    }


def test_chat_parameters(serve: Serve, client: Client, attributes: Attributes) -> None:
    """Parameters of a chat call are attributes."""
    serve(chat_completion())
    client("openai").chat.completions.create(
        **CHAT,
        temperature=0.5,
        top_p=0.9,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        max_completion_tokens=100,
        seed=7,
        n=2,
        stop=["END", "STOP"],
        service_tier="flex",
        reasoning_effort="low",
    )

    assert requested(attributes()) == {
        "temperature": 0.5,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "max_tokens": 100,
        "seed": 7,
        "choice.count": 2,
        "stop_sequences": ("END", "STOP"),
        "reasoning.level": "low",
    }
    assert attributes()["openai.request.service_tier"] == "flex"


def test_message_parameters(serve: Serve, client: Client, attributes: Attributes) -> None:
    """Parameters of a messages call are attributes, also those that the SDK has no argument for."""
    serve(message())
    client("anthropic").messages.create(
        **MESSAGE, stop_sequences=["."], extra_body={"temperature": 0.5, "top_k": 40}
    )

    assert requested(attributes()) == {
        "max_tokens": 64,
        "temperature": 0.5,
        "top_k": 40,
        "stop_sequences": (".",),
    }


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_whole_numbers_are_doubles(
    sdk: str, serve: Serve, client: Client, attributes: Attributes
) -> None:
    """A temperature given as 1 is the double 1.0, as the convention's type is."""
    if sdk == "openai":
        serve(chat_completion())
        client(sdk).chat.completions.create(**CHAT, temperature=1, top_p=1)
    else:
        serve(message())
        client(sdk).messages.create(**MESSAGE, extra_body={"temperature": 1, "top_p": 1})
    values = [requested(attributes())[name] for name in ("temperature", "top_p")]

    assert [type(value) for value in values] == [float, float]


def test_what_is_not_given_is_absent(serve: Serve, client: Client, attributes: Attributes) -> None:
    """No parameter is made up."""
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert requested(attributes()) == {}


def test_streaming_is_said(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A streamed call says so."""
    serve(chat_text(["Hi"]))
    list(client("openai").chat.completions.create(**CHAT, stream=True))

    assert requested(attributes()) == {"stream": True}


def test_stop_as_a_text(serve: Serve, client: Client, attributes: Attributes) -> None:
    """One stop sequence is a list of one."""
    serve(completion())
    client("openai").completions.create(model="babbage-002", prompt="Hi", stop="END")

    assert requested(attributes()) == {"stop_sequences": ("END",)}


def test_output_type(serve: Serve, client: Client, attributes: Attributes) -> None:
    """JSON that is asked for is said to be the output's type."""
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT, response_format={"type": "json_object"})

    assert attributes()["gen_ai.output.type"] == "json"


def test_response_parameters(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A response knows its effort, its limit, and what it goes on from."""
    serve(response())
    client("openai").responses.create(
        model="gpt-5",
        input="Hi",
        max_output_tokens=50,
        previous_response_id="resp_0",
        reasoning={"effort": "high"},
        temperature=1,
    )

    assert requested(attributes()) == {
        "max_tokens": 50,
        "previous_response.id": "resp_0",
        "reasoning.level": "high",
        "temperature": 1.0,
    }


def test_api_types(serve: Serve, client: Client, captured: Captured) -> None:
    """Chat completions and responses are told apart, since both are `chat`."""
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)
    serve(response())
    client("openai").responses.create(model="gpt-5", input="Hi")

    types = [(span.attributes or {})["openai.api.type"] for span in captured.spans()]
    assert types == ["chat_completions", "responses"]


@pytest.mark.parametrize(
    ("sdk", "answer"), [("openai", chat_completion()), ("anthropic", message())]
)
def test_server(
    sdk: str,
    answer: Any,
    server: ProviderServer,
    serve: Serve,
    client: Client,
    attributes: Attributes,
) -> None:
    """Address and port are where the call goes; an unknown host has the SDK's provider."""
    serve(answer)
    made = client(sdk)
    (made.chat.completions if sdk == "openai" else made.messages).create(
        **(CHAT if sdk == "openai" else MESSAGE)
    )
    found = attributes()

    assert (found["server.address"], found["server.port"]) == ("127.0.0.1", server.port)
    assert found["gen_ai.provider.name"] == sdk


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://api.x.ai/v1", "x_ai"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.mistral.ai/v1", "mistral_ai"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://api.together.xyz/v1", "together"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gcp.gemini"),
        ("https://me.openai.azure.com/openai/v1", "azure.ai.openai"),
        ("http://localhost:11434/v1", "ollama"),
        ("http://localhost:8000/v1", "openai"),
        ("https://models.example.com/v1", "openai"),
    ],
)
def test_provider_by_host(url: str, provider: str, captured: Captured) -> None:
    """The provider of a compatible endpoint is known by its host, else it is the SDK's own."""
    with (
        answering(chat_completion()) as pool,
        openai.OpenAI(base_url=url, api_key="test", http_client=pool) as client,
    ):
        client.chat.completions.create(**CHAT)
    found = captured.span().attributes or {}

    assert found["gen_ai.provider.name"] == provider


@pytest.mark.parametrize(
    ("name", "provider"),
    [("AsyncAnthropicBedrock", "aws.bedrock"), ("AnthropicVertex", "gcp.vertex_ai")],
)
def test_clouds_of_anthropic(name: str, provider: str) -> None:
    """A client of a cloud is told by its class, whatever its host."""
    client = type(name, (), {"base_url": "https://gateway.example.com"})()

    assert request.info(client, {}, True).provider == provider


def test_azure_client(captured: Captured) -> None:
    """An Azure client's calls are Azure's, also in Azure's own first chunk without id and model."""
    events = ChatStream().prompt_filter().role().text(["Hi"]).finish().done()
    with (
        answering(b"".join(events)) as pool,
        openai.AzureOpenAI(
            azure_endpoint="https://gateway.example.com",
            api_version="2024-10-21",
            api_key="test",
            http_client=pool,
        ) as client,
    ):
        list(client.chat.completions.create(**CHAT, stream=True))
    found = captured.span().attributes or {}

    assert found["gen_ai.provider.name"] == "azure.ai.openai"
    assert found["gen_ai.response.id"] == "chatcmpl-testing1"
    assert found["gen_ai.response.model"] == "gpt-5-mini-2025-08-07"
    assert found["otel_stream.outcome"] == "completed"


def test_conversation_of_the_client(serve: Serve, client: Client, attributes: Attributes) -> None:
    """The conversation that an anthropic client is made for is on our span as on the SDK's."""
    if not hasattr(anthropic, "_tracing"):
        pytest.skip("this SDK has no span of its own")
    serve(message())
    made = client("anthropic", open_telemetry={"conversation_id": "c-1"})
    made.messages.create(model="claude-opus-5", messages=HI, max_tokens=5)

    assert attributes()["gen_ai.conversation.id"] == "c-1"


def answering(answer: Any) -> Any:
    """A connection pool that goes nowhere, and has one answer for all."""

    def reply(request: Any) -> Any:
        if isinstance(answer, bytes):
            return http.Response(200, content=answer, headers={"content-type": "text/event-stream"})
        return http.Response(200, json=answer)

    return http.Client(transport=http.MockTransport(reply))


@pytest.mark.parametrize(
    ("sdk", "odd"),
    [
        ("openai", {"response_format": {"type": ["json"]}}),
        ("openai", {"text": "json"}),
        ("openai", {"prompt": {"id": 5}}),
        ("openai", {"stop": {"a": 1}}),
        ("anthropic", {"output_config": "high"}),
        ("anthropic", {"stop_sequences": "end"}),
    ],
)
def test_odd_parameters(
    sdk: str, odd: dict[str, Any], serve: Serve, client: Client, captured: Captured
) -> None:
    """What the provider will refuse loses an attribute, and not the call."""
    serve(chat_completion() if sdk == "openai" else message())
    made = client(sdk)
    if sdk == "openai":
        made.chat.completions.create(**CHAT, extra_body=odd)
    else:
        made.messages.create(**MESSAGE, extra_body=odd)

    assert captured.span().name.startswith("chat ")
