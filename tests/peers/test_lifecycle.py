"""The span on every way out: ended once, in time, with the right outcome."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from otel_stream.testing import Captured, Hang, Script, Send

from .apis import CHAT, MESSAGES, RESPONSES, Api, every_api

Clients = Callable[..., Any]
SSE = {"content-type": "text/event-stream"}


class Mishap(Exception):
    """An exception of the application's own."""


def outcome_of(captured: Captured) -> tuple[Any, bool, Any]:
    """Outcome, whether the span's status is ERROR, and `error.type`."""
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}
    failed = span.status.status_code is StatusCode.ERROR
    return attributes["otel_stream.outcome"], failed, attributes.get("error.type")


def break_off(stream: Any) -> None:
    for _ in stream:
        break


def with_and_break(stream: Any) -> None:
    with stream:
        break_off(stream)


def next_and_close(stream: Any) -> None:
    next(stream)
    stream.close()


def close_the_response(stream: Any) -> None:
    next(stream)
    stream.response.close()


def raise_in_the_body(stream: Any) -> None:
    with pytest.raises(Mishap):
        for _ in stream:
            raise Mishap


EARLY = [break_off, with_and_break, next_and_close, close_the_response, raise_in_the_body]


@every_api
@pytest.mark.parametrize("leave", EARLY)
def test_left_early(
    api: Api, leave: Callable[..., None], serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [18] [19] [20], B1 to B3, C7: whoever stops reading gets a span, and no error."""
    serve(api.whole)
    leave(api.create(client_for(api)))

    assert outcome_of(captured) == ("closed_early", False, None)


@every_api
def test_left_early_has_no_invented_reason(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [19]: `close` leaves no finish reason `error` behind in a span that is no error."""
    serve(api.whole)
    next_and_close(api.create(client_for(api)))

    assert "gen_ai.response.finish_reasons" not in (captured.span().attributes or {})


@every_api
@pytest.mark.otel_stream(grace=0.05)
def test_held_after_break(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [20], C7: a stream that is left and still referenced ends, at the time of leaving."""
    serve(api.whole)
    stream = api.create(client_for(api))
    break_off(stream)
    left = time.time_ns()
    [span] = captured.wait_for_spans()

    assert span.attributes["otel_stream.outcome"] == "closed_early"
    assert span.end_time <= left
    stream.close()


@every_api
def test_next_and_forgotten(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [18], C7: `next()` and then forgotten is abandoned, which is no error."""
    serve(api.whole)
    next(api.create(client_for(api)))
    gc.collect()

    assert outcome_of(captured) == ("abandoned", False, None)


@every_api
@pytest.mark.parametrize("leave", [break_off, with_and_break], ids=["loop", "with"])
def test_left_at_the_terminal_event(
    api: Api, leave: Callable[..., None], serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [21], B8, C10b: who stops at the terminal event has had it all, also without `with`."""
    serve(api.whole)
    stream = api.create(client_for(api))
    # [DONE] and the body's end are what is left.
    for _ in range(chunks_of(api) - 1):
        next(stream)
    leave(stream)
    del stream

    assert outcome_of(captured) == ("completed", False, None)


def chunks_of(api: Api) -> int:
    return sum(b"data: {" in event and b'"ping"' not in event for event in api.whole)


@every_api
def test_socket_closed_right_after_the_terminal_event(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers B8: the terminal event decides, not how the connection ends after it."""
    serve([event for event in api.whole if b"[DONE]" not in event], ending="reset")
    stream = api.create(client_for(api))
    for _ in range(chunks_of(api)):
        next(stream)
    try:
        next(stream, None)
    except Exception:  # noqa: BLE001 - the connection's; httpx's name depends on its version
        pass

    assert outcome_of(captured) == ("completed", False, None)


@every_api
async def test_cancelled_while_waiting(
    api: Api, server: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [22], B4, B7, C6: cancelled is not failed: status unset, no `error.type`, not lost."""
    server.script(None, Script([Send(b"".join(api.opening)), Hang()], headers=SSE))
    begun = asyncio.Event()

    async def read() -> None:
        async with client_for(api, True) as client:
            async for _ in await api.create(client):
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert outcome_of(captured) == ("cancelled", False, None)


async def test_text_stream_cancelled(server: Any, client_for: Clients, captured: Captured) -> None:
    """peers [22]: cancel is seen below a helper's `text_stream` too."""
    server.script(None, Script([Send(b"".join(MESSAGES.opening)), Hang()], headers=SSE))
    begun = asyncio.Event()

    async def read() -> None:
        async with (
            client_for(MESSAGES, True) as client,
            client.messages.stream(**MESSAGES.arguments) as stream,
        ):
            async for _ in stream.text_stream:
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert outcome_of(captured) == ("cancelled", False, None)


@every_api
@pytest.mark.otel_stream(capture_content=True)
def test_connection_lost(
    api: Api, serve: Any, client_for: Clients, captured: Captured, text_of: Any
) -> None:
    """peers [23], B4, B5, C6: a lost connection is an error on the span, and the text is kept."""
    serve(api.opening, ending="cut")
    with pytest.raises(Exception) as raised:
        list(api.create(client_for(api)))
    outcome, failed, error_type = outcome_of(captured)

    assert (outcome, failed) == ("error", True)
    assert error_type == f"{raised.type.__module__}.{raised.type.__qualname__}"
    assert text_of() == "Hello world"


@every_api
@pytest.mark.otel_stream(capture_content=True)
def test_error_event(
    api: Api, serve: Any, client_for: Clients, captured: Captured, text_of: Any
) -> None:
    """peers [23], B5, C6: an error event is an error with the provider's code; the text is kept."""
    serve([*api.opening, api.error])
    try:
        list(api.create(client_for(api)))
    except Exception:  # noqa: BLE001 - the Responses API's event is yielded, the others are raised
        pass
    code = "overloaded_error" if api.is_anthropic else "server_error"

    assert outcome_of(captured) == ("error", True, code)
    assert text_of() == "Hello world"


@pytest.mark.parametrize("api", [CHAT, RESPONSES, MESSAGES], ids=lambda api: api.name)
def test_consumers_exception_is_no_providers_error(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers C6: what the consumer raises in its own loop says nothing of the provider."""
    serve(api.whole)
    raise_in_the_body(api.create(client_for(api)))
    [span] = captured.wait_for_spans()

    assert [event.name for event in span.events if event.name == "exception"] == []


def test_started_equals_ended(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers C7: over all exit paths as many spans end as were started, each once."""
    for leave in [list, *EARLY, next_and_close]:
        serve(MESSAGES.whole)
        leave(MESSAGES.create(client_for(MESSAGES)))
    serve([], status=500)
    with pytest.raises(Exception, match="500"):
        MESSAGES.create(client_for(MESSAGES))

    spans = captured.wait_for_spans(8)
    assert len({span.context.span_id for span in spans}) == len(spans) == 8
    assert captured.open_spans() == []
