"""Calls that do not stream: the ordinary client span and metrics, and what we add to them."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
import pytest
from opentelemetry.trace import StatusCode

from otel_stream.testing import (
    Captured,
    ProviderServer,
    Reset,
    Script,
    Send,
    anthropic_error,
    chat_completion,
    chat_text,
    chat_usage,
    completion,
    message,
    message_text,
    message_usage,
    openai_error,
    response,
)

from .conftest import CHAT, MESSAGE, Attributes, Client, Serve, ours

pytestmark = pytest.mark.sdk_matrix

TOKENS = "gen_ai.client.token.usage"
DURATION = "gen_ai.client.operation.duration"


def test_chat_span(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A chat completion is a client span with model, id, finish reasons and tokens."""
    serve(chat_completion(usage=chat_usage(9, 5, cached=4, reasoning=2)))
    client("openai").chat.completions.create(**CHAT)
    found = attributes()

    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.response.id"] == "chatcmpl-testing1"
    assert found["gen_ai.response.model"] == "gpt-5-mini-2025-08-07"
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    assert found["gen_ai.usage.input_tokens"] == 9
    assert found["gen_ai.usage.output_tokens"] == 5
    assert found["gen_ai.usage.cache_read.input_tokens"] == 4
    assert found["gen_ai.usage.reasoning.output_tokens"] == 2


def test_message_span(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A message's input tokens count those in the cache, as the convention wants it."""
    serve(message(usage=message_usage(9, 5, cache_read=100, cache_creation=50)))
    client("anthropic").messages.create(**MESSAGE)
    found = attributes()

    assert found["gen_ai.usage.input_tokens"] == 159
    assert found["gen_ai.usage.output_tokens"] == 5
    assert found["gen_ai.usage.cache_read.input_tokens"] == 100
    assert found["gen_ai.usage.cache_creation.input_tokens"] == 50
    assert found["gen_ai.response.finish_reasons"] == ("end_turn",)


def test_names_of_spans(serve: Serve, client: Client, captured: Captured) -> None:
    """A span is named by the operation and the requested model."""
    for answer in (chat_completion(), completion(), response()):
        serve(answer)
    openai_client = client("openai")
    openai_client.chat.completions.create(**CHAT)
    openai_client.completions.create(model="babbage-002", prompt="Hi")
    openai_client.responses.create(model="gpt-5", input="Hi")

    names = [span.name for span in captured.spans()]
    assert names == ["chat gpt-5-mini", "text_completion babbage-002", "chat gpt-5"]


def test_only_two_of_ours(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A call that does not stream has none of our attributes but usage source and retries."""
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert ours(attributes()) == {
        "otel_stream.usage.source": "provider",
        "otel_stream.retries": 0,
    }


def test_no_events(serve: Serve, client: Client, captured: Captured) -> None:
    """A call that does not stream has no span events."""
    serve(message())
    client("anthropic").messages.create(**MESSAGE)

    assert captured.events() == []


def test_metrics(serve: Serve, client: Client, captured: Captured) -> None:
    """Duration and tokens are recorded, and nothing about chunks."""
    serve(chat_completion(usage=chat_usage(9, 5)))
    client("openai").chat.completions.create(**CHAT)

    assert captured.point(DURATION).count == 1
    assert captured.point(TOKENS, {"gen_ai.token.type": "input"}).sum == 9
    assert captured.point(TOKENS, {"gen_ai.token.type": "output"}).sum == 5
    assert captured.metrics().keys() == {DURATION, TOKENS}


@pytest.mark.parametrize(
    ("sdk", "error"), [("openai", openai_error), ("anthropic", anthropic_error)]
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_http_error(
    sdk: str, error: Any, stream: bool, serve: Serve, client: Client, captured: Captured
) -> None:
    """An HTTP error ends the span with the exception's class, status ERROR and the request id."""
    serve(error(), status=429)
    with pytest.raises(Exception, match="Too many requests"):
        ask(client(sdk), sdk, stream)
    span = captured.span()

    assert span.attributes is not None
    assert span.attributes["error.type"] == f"{sdk}.RateLimitError"
    assert span.attributes[f"{sdk}.request.id"].startswith("req_")  # type: ignore[union-attr]
    assert span.status.status_code is StatusCode.ERROR
    assert captured.point(DURATION, {"error.type": f"{sdk}.RateLimitError"}).count == 1


@pytest.mark.parametrize(
    ("sdk", "whole", "error"),
    [
        ("openai", chat_text(["Hi"]), openai_error),
        ("anthropic", message_text(["Hi"]), anthropic_error),
    ],
)
def test_retries_are_counted(
    sdk: str, whole: Any, error: Any, serve: Serve, client: Client, captured: Captured
) -> None:
    """Two refused attempts and an answer are one span with two retries."""
    for _ in range(2):
        serve(error(), status=429, headers={"retry-after-ms": "1"})
    serve(whole)
    list(ask(client(sdk, max_retries=2), sdk, True))
    span = captured.span()

    assert span.attributes is not None
    assert span.attributes["otel_stream.retries"] == 2
    assert span.attributes["otel_stream.outcome"] == "completed"


def test_retries_in_vain_are_counted(serve: Serve, client: Client, attributes: Attributes) -> None:
    """A call that fails after its retries says how many there were."""
    for _ in range(2):
        serve(openai_error(), status=429, headers={"retry-after-ms": "1"})
    with pytest.raises(openai.RateLimitError):
        ask(client("openai", max_retries=1), "openai", False)

    assert attributes()["otel_stream.retries"] == 1


def test_retried_connection(server: ProviderServer, client: Client, captured: Captured) -> None:
    """Attempts that never reached the provider are retries too."""
    server.script(None, Script([Reset()]))
    server.script(None, Script.json(chat_completion()))
    ask(client("openai", max_retries=1), "openai", False)

    assert captured.span().attributes["otel_stream.retries"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("sdk", "answer"), [("openai", chat_completion()), ("anthropic", message())]
)
def test_request_id_is_kept(
    sdk: str, answer: Any, serve: Serve, client: Client, attributes: Attributes
) -> None:
    """The provider's request id is an attribute, by which its support can find the call."""
    serve(answer)
    result = ask(client(sdk), sdk, False)

    assert attributes()[f"{sdk}.request.id"] == result._request_id


def test_raw_body_that_breaks_off(
    server: ProviderServer, client: Client, attributes: Attributes
) -> None:
    """JSON read raw that ends in the middle is a failure, though HTTP says that it is whole."""
    half = json.dumps(response()).encode()[:-20]
    server.script(None, Script([Send(half)], headers={"content-type": "application/json"}))
    method = client("openai").responses.with_streaming_response.create
    with method(model="gpt-5", input="Hi") as answer:
        answer.read()

    assert attributes()["error.type"] == "truncated"


def ask(client: Any, sdk: str, stream: bool) -> Any:
    """Ask either SDK."""
    if sdk == "openai":
        return client.chat.completions.create(**CHAT, stream=stream)
    return client.messages.create(**MESSAGE, stream=stream)


class Weather(pydantic.BaseModel):
    """What is asked for."""

    degrees: int


SECRET = "my secret answer 12345"


def test_answer_that_does_not_fit(serve: Serve, client: Client, captured: Captured) -> None:
    """What the SDK cannot make of a whole answer what was asked for fails, and is still read."""
    serve(chat_completion(SECRET, usage=chat_usage(9, 5)))
    with pytest.raises(pydantic.ValidationError):
        parse_of(client("openai"))(**CHAT, response_format=Weather)
    span = captured.span()
    found = dict(span.attributes or {})

    assert span.status.status_code is StatusCode.ERROR
    assert found["error.type"].endswith("ValidationError")
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (9, 5)
    assert SECRET not in span.to_json()


@pytest.mark.otel_stream(capture_content=True)
def test_why_it_does_not_fit(serve: Serve, client: Client, captured: Captured) -> None:
    """Where content is captured, what the SDK says of it is recorded too."""
    serve(chat_completion(SECRET))
    with pytest.raises(pydantic.ValidationError):
        parse_of(client("openai"))(**CHAT, response_format=Weather)

    assert SECRET in dict(captured.events())["exception"]["exception.message"]


def parse_of(client: Any) -> Any:
    """`parse`, which was a beta once."""
    completions = client.chat.completions
    return (
        completions.parse if hasattr(completions, "parse") else client.beta.chat.completions.parse
    )
