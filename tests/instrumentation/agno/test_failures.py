"""What a failed run says of why: by default nothing that it was asked."""

from __future__ import annotations

import contextlib
import ssl
from typing import Any

import agno.exceptions
import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from pydantic import BaseModel

from otel_stream import runtime
from otel_stream.call import CallInfo
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream_agno.events import RunReader
from otel_stream_agno.run_trace import RunTrace

from .cast import MODES, Cast, consume

pytestmark = pytest.mark.sdk_matrix

WAYS = [(method, mode) for method in ("run", "arun") for mode in MODES]
SECRET = "Maria lives in Rio"
CHECKS = hasattr(agno.exceptions, "InputCheckError")
checks = pytest.mark.skipif(not CHECKS, reason="this version has no checks of input")


class Question(BaseModel):
    """What may be asked."""

    number: int


def check(run_input: Any = None, **_: Any) -> None:
    """Refuses, and says what."""
    raise agno.exceptions.InputCheckError(f"not allowed: {SECRET}")


def told(span: ReadableSpan) -> str:
    """All texts of a span."""
    events = [(event.name, event.attributes) for event in span.events]
    return str((span.status.description, span.attributes, events))


async def refused(cast: Cast, method: str, mode: str) -> None:
    """A run whose input is not what the agent's schema says."""
    agent = cast.agent(asynchronous=method == "arun", input_schema=Question)
    with pytest.raises(ValueError, match="Maria"):
        await consume(agent, method, MODES[mode], {"number": SECRET})


@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_an_input_that_is_refused_is_not_told(
    captured: Captured, cast: Cast, method: str, mode: str
) -> None:
    """A schema's error repeats what was asked: the class of the exception stands for it."""
    await refused(cast, method, mode)
    run = captured.span("invoke_agent Poet")

    assert "Maria" not in told(run)
    assert (run.attributes or {})["error.type"] == run.status.description == "ValueError"


@pytest.mark.otel_stream(events="log")
async def test_nor_is_it_in_a_log(captured: Captured, cast: Cast) -> None:
    """Events that are log records say no more than a span does."""
    await refused(cast, "run", "streamed")

    assert captured.logs()
    assert "Maria" not in str([(one.body, one.attributes) for one in captured.logs()])


@pytest.mark.otel_stream(capture_content="span")
async def test_it_is_told_with_content(captured: Captured, cast: Cast) -> None:
    """Where content is captured a failure says all it says."""
    await refused(cast, "run", "whole")
    run = captured.span("invoke_agent Poet")

    assert "Maria" in str(run.status.description)
    assert [event.name for event in run.events] == ["exception"]


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: text.replace("Maria", "***"))
async def test_it_is_redacted_as_content_is(captured: Captured, cast: Cast) -> None:
    """A text goes through the application's own redaction; a stack trace, which cannot, is none."""
    await refused(cast, "run", "whole")
    run = captured.span("invoke_agent Poet")

    assert "*** lives in Rio" in str(run.status.description)
    assert (run.attributes or {})["error.type"] == "ValueError"
    assert "Maria" not in told(run)
    assert not run.events


@checks
@pytest.mark.parametrize(("method", "mode"), WAYS)
async def test_what_a_hook_refuses_is_not_told(
    captured: Captured, cast: Cast, method: str, mode: str
) -> None:
    """Agno tells it in an event or an output: the code stands for it."""
    agent = cast.agent(asynchronous=method == "arun", pre_hooks=[check])
    await consume(agent, method, MODES[mode], SECRET)
    run = captured.span("invoke_agent Poet")

    assert "Maria" not in told(run)
    assert (run.attributes or {})["error.type"] == run.status.description


@checks
@pytest.mark.otel_stream(capture_content="span")
@pytest.mark.parametrize("mode", MODES)
async def test_what_a_hook_refuses_is_told_with_content(
    captured: Captured, cast: Cast, mode: str
) -> None:
    """So is what an event or an output says."""
    await consume(cast.agent(pre_hooks=[check]), "run", MODES[mode], SECRET)

    assert captured.span("invoke_agent Poet").status.description == f"not allowed: {SECRET}"


def from_(error: BaseException, cause: BaseException | None) -> BaseException:
    """*error*, raised from *cause*."""
    with contextlib.suppress(BaseException):
        raise error from cause
    return error


def while_(error: BaseException, other: BaseException) -> BaseException:
    """*error*, raised while *other* is handled."""
    try:
        try:
            raise other
        except type(other):
            raise error  # noqa: B904 - that is what is tried
    except type(error):
        return error


def noted(error: BaseException) -> BaseException:
    """*error*, with a note of the program's."""
    error.add_note(SECRET)
    return error


def model_error() -> BaseException:
    """What Agno makes of what a client has raised."""
    return agno.exceptions.ModelProviderError("refused")


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (httpx.ConnectError("refused"), True),
        (from_(httpx.ConnectError("refused"), OSError("refused")), True),
        (ConnectionResetError("refused"), True),
        (TimeoutError("refused"), True),
        (ssl.SSLError("refused"), True),
        (from_(model_error(), httpx.ReadTimeout("refused")), True),
        (while_(httpx.ConnectError("refused"), KeyError(SECRET)), False),
        (from_(model_error(), ValueError(SECRET)), False),
        (noted(httpx.ConnectError("refused")), False),
        (model_error(), False),
        (KeyError(SECRET), False),
        (FileNotFoundError(2, "No such file", f"{SECRET}.pdf"), False),
        (type("Refused", (ConnectionError,), {})(SECRET), False),
    ],
    ids=repr,
)
def test_the_provider_and_the_network_are_told(
    captured: Captured, error: BaseException, is_told: bool
) -> None:
    """They do not repeat what was asked. What is told with them, in the stack trace, may."""
    info = CallInfo(operation="invoke_agent", provider="agno")
    recorder = RunTrace(runtime.current(), info, RunReader()).recorder
    recorder.end(Outcome.ERROR, recorder.clock(), error)
    run = captured.span()

    assert SECRET not in told(run)
    assert ("refused" in str(run.status.description)) is is_told
    assert ("exception" in [event.name for event in run.events]) is is_told
