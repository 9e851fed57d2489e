"""How it ended, told apart: whole, cut, failed, stopped by the provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from otel_stream.testing import (
    Captured,
    ChatStream,
    MessageStream,
    ResponseStream,
    chat_choices,
    chat_text,
)

from .apis import CHAT, MESSAGES, RESPONSES, Api, every_api

Clients = Callable[..., Any]
content = pytest.mark.otel_stream(capture_content=True)
WORDS = ["Hello", " world"]


def read_until(stream: Any, mark: str | None) -> None:
    for chunk in stream:
        if mark is not None and mark in str(chunk):
            break


def said(captured: Captured) -> tuple[Any, bool, Any]:
    """Outcome, whether the status is ERROR, finish reasons."""
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}
    failed = span.status.status_code is StatusCode.ERROR
    reasons = attributes.get("gen_ai.response.finish_reasons")
    return attributes["otel_stream.outcome"], failed, reasons


@content
@pytest.mark.parametrize("held", [False, True], ids=["dropped", "closed"])
def test_text_of_a_response_that_was_left(
    held: bool, serve: Any, client_for: Clients, captured: Captured, text_of: Any
) -> None:
    """peers [24], C5, B22: a Responses stream that is left keeps its text, flagged as partial."""
    serve(RESPONSES.whole)
    stream = RESPONSES.create(client_for(RESPONSES))
    read_until(stream, "' world'")
    if held:
        stream.close()
    del stream

    assert said(captured) == ("closed_early", False, None)
    assert text_of() == "Hello world"
    assert captured.span().attributes["otel_stream.partial"] is True


@content
def test_text_of_a_response_that_was_cut(
    serve: Any, client_for: Clients, captured: Captured, text_of: Any
) -> None:
    """peers [24], C5: a lost connection does not lose the text either."""
    serve(RESPONSES.opening, ending="reset")
    with pytest.raises(Exception):  # noqa: B017 - httpx's name depends on its version
        read_until(RESPONSES.create(client_for(RESPONSES)), None)

    assert said(captured) == ("error", True, ("error",))
    assert text_of() == "Hello world"


@content
@every_api
def test_clean_end_without_terminal_event(
    api: Api, serve: Any, client_for: Clients, captured: Captured, text_of: Any
) -> None:
    """peers [25], B6, C10a: a body that just ends is truncated, an error, and says no `stop`."""
    serve(api.opening)
    read_until(api.create(client_for(api)), None)

    assert said(captured) == ("truncated", True, ("error",))
    assert captured.span().attributes["error.type"] == "truncated"
    assert text_of() == "Hello world"


def test_helper_without_terminal_event(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [25]: it is seen below Anthropic's `stream()` helper too."""
    serve(MESSAGES.opening)
    with client_for(MESSAGES).messages.stream(**MESSAGES.arguments) as stream:
        list(stream.text_stream)

    assert said(captured) == ("truncated", True, ("error",))


@pytest.mark.parametrize(
    "events",
    [chat_text(WORDS, done=False), chat_text(WORDS, finish=None)],
    ids=["finish_reason", "DONE"],
)
def test_either_mark_is_enough(
    events: Sequence[bytes], serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers B6: a chat answer is whole by its finish reason or by [DONE]."""
    serve(events)
    read_until(CHAT.create(client_for(CHAT)), None)

    assert said(captured)[0] == "completed"


def test_a_choice_that_did_not_finish(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [25], B6: with n > 1 each choice has to finish."""
    serve(chat_choices([["a"], ["b"]], finish=["stop", None]))
    read_until(CHAT.create(client_for(CHAT), n=2), None)

    assert said(captured) == ("truncated", True, ("stop",))


def test_response_failed(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [26], B9, C5: `response.failed` is an error with the provider's code."""
    serve(ResponseStream().created().text(WORDS).failed("rate_limit_exceeded"))
    read_until(RESPONSES.create(client_for(RESPONSES)), None)

    assert said(captured) == ("error", True, ("error",))
    assert captured.span().attributes["error.type"] == "rate_limit_exceeded"


@content
def test_response_incomplete(
    serve: Any, client_for: Clients, captured: Captured, text_of: Any
) -> None:
    """peers [26], B9, C5: `response.incomplete` is completed for `length`, with text and usage."""
    serve(ResponseStream().created().text(WORDS).incomplete())
    read_until(RESPONSES.create(client_for(RESPONSES)), None)
    attributes = captured.span().attributes

    assert said(captured) == ("completed", False, ("length",))
    assert attributes["otel_stream.partial"] is True
    assert attributes["gen_ai.usage.output_tokens"] == 5
    assert text_of() == "Hello world"


def test_stopped_short_is_flagged(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B9: an answer that hit its limit is completed, and yet partial."""
    serve(MessageStream().start().text(WORDS).delta("max_tokens").stop())
    read_until(MESSAGES.create(client_for(MESSAGES)), None)

    assert said(captured) == ("completed", False, ("max_tokens",))
    assert captured.span().attributes["otel_stream.partial"] is True


def test_error_beside_a_finish_reason(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B9: an error event after a finish reason is an error all the same."""
    serve(ChatStream().role().text(WORDS).finish("length").error())
    with pytest.raises(Exception, match="on fire"):
        read_until(CHAT.create(client_for(CHAT)), None)

    assert said(captured) == ("error", True, ("length",))
