"""Somebody else wraps what we have wrapped, and we are undone beneath."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
import wrapt

import otel_stream
from otel_stream.testing import Captured, chat_completion, chat_text

from .conftest import CHAT, Client, Serve

pytestmark = pytest.mark.sdk_matrix


@pytest.fixture
def kept() -> Iterator[Captured]:
    """Providers that nothing is sent to yet."""
    captured = Captured()
    yield captured
    captured.shutdown()


def instrument(kept: Captured) -> None:
    """The one line, sending to `kept`."""
    otel_stream.instrument(tracer_provider=kept.tracer_provider, meter_provider=kept.meter_provider)


@pytest.fixture
def wrapped_over(kept: Captured) -> Iterator[list[str]]:
    """Instrumented, and then wrapped once more by somebody else. What that wrapper was called."""
    otel_stream.uninstrument()
    owner = openai._base_client.SyncAPIClient
    original = vars(owner)["request"]
    instrument(kept)
    inner = owner.request
    called: list[str] = []

    def outer(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append("outer")
        return inner(self, *args, **kwargs)

    owner.request = outer  # type: ignore[method-assign]
    yield called
    otel_stream.uninstrument()
    owner.request = original  # type: ignore[method-assign]


def test_somebody_elses_wrapper_stays(
    serve: Serve, client: Client, kept: Captured, wrapped_over: list[str]
) -> None:
    """Who has wrapped what we have wrapped keeps the wrapper when we are undone, and it works."""
    otel_stream.uninstrument()
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert wrapped_over == ["outer"]


def test_again_over_somebody_elses_wrapper(
    serve: Serve, client: Client, kept: Captured, wrapped_over: list[str]
) -> None:
    """Undone and done again with our old wrapper still beneath theirs, a call is traced once."""
    otel_stream.uninstrument()
    instrument(kept)
    serve(chat_text(["Hi"]))
    list(client("openai").chat.completions.create(**CHAT, stream=True))

    assert wrapped_over == ["outer"]
    assert (kept.span().attributes or {})["otel_stream.chunk.count"] == len(chat_text(["Hi"])) - 1


@pytest.fixture(params=["theirs first", "ours first"])
def with_wrapt(request: pytest.FixtureRequest, kept: Captured) -> Iterator[list[object]]:
    """Wrapped by somebody else with wrapt, before us or after us. On which objects it was called.

    Called unbound, as a class holds them, such wrappers do not know the object.
    """
    otel_stream.uninstrument()
    owner = openai._base_client.SyncAPIClient
    original = vars(owner)["request"]
    called: list[object] = []

    def outer(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        called.append(instance)
        return wrapped(*args, **kwargs)

    if request.param == "ours first":
        instrument(kept)
    wrapt.wrap_function_wrapper("openai._base_client", "SyncAPIClient.request", outer)
    if request.param == "theirs first":
        instrument(kept)
    yield called
    otel_stream.uninstrument()
    assert vars(owner)["request"].__wrapped__ is original
    owner.request = original  # type: ignore[method-assign]


def test_what_is_wrapped_with_wrapt_stays_above_ours(
    serve: Serve, client: Client, kept: Captured, with_wrapt: list[object]
) -> None:
    """Whoever came first, theirs knows the object, a call is traced once, and ours is undone."""
    serve(chat_completion())
    one = client("openai")
    one.chat.completions.create(**CHAT)

    assert with_wrapt == [one]
    assert len(kept.spans()) == 1
