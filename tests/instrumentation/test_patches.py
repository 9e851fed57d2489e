"""The one line and its undoing: twice, in any order with clients, and exactly restored."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import anthropic
import pytest

import otel_stream
from otel_stream.errors import SettingsError
from otel_stream.testing import Captured, chat_completion, chat_text, message
from otel_stream_openai import OpenAIInstrumentor

from .conftest import CHAT, MESSAGE, Client, Serve

pytestmark = pytest.mark.sdk_matrix

PATCHED = [
    f"{sdk}.{path}"
    for sdk in ("openai", "anthropic")
    for path in (
        "_base_client:SyncAPIClient",
        "_base_client:AsyncAPIClient",
        "_streaming:Stream",
        "_streaming:AsyncStream",
        "_response:ResponseContextManager",
        "_response:AsyncResponseContextManager",
        "_base_client:",
    )
] + [
    "openai.lib.streaming.chat:ChatCompletionStream",
    "openai.lib.streaming.chat:AsyncChatCompletionStream",
    "openai.lib.streaming.responses:ResponseStream",
    "openai.lib.streaming.responses:AsyncResponseStream",
    "anthropic.lib.streaming:MessageStream",
    "anthropic.lib.streaming:AsyncMessageStream",
    "anthropic.lib.streaming:BetaMessageStream",
    "anthropic.lib.streaming:BetaAsyncMessageStream",
]


@pytest.fixture(autouse=True)
def bare() -> Iterator[None]:
    """Nothing is instrumented before and after a test, and each leaves the SDKs as they were."""
    otel_stream.uninstrument()
    before = {path: members(path) for path in PATCHED}
    yield
    otel_stream.uninstrument()
    assert changed(before) == []


@pytest.fixture
def kept() -> Iterator[Captured]:
    """Providers that nothing is sent to yet."""
    captured = Captured()
    yield captured
    captured.shutdown()


def instrument(captured: Captured, **settings: Any) -> None:
    """The one line, sending to `captured`."""
    otel_stream.instrument(
        tracer_provider=captured.tracer_provider,
        meter_provider=captured.meter_provider,
        logger_provider=captured.logger_provider,
        **settings,
    )


def members(path: str) -> dict[str, Any]:
    """What the class or module at `path` holds; nothing where this SDK has no such class."""
    module, _, name = path.partition(":")
    owner = import_module(module)
    return dict(vars(getattr(owner, name, object) if name else owner))


def changed(before: dict[str, dict[str, Any]]) -> list[str]:
    """What is another object now, was not there before, or is gone.

    By identity: a wrapper equals what it wraps.
    """
    found = []
    for path, held in before.items():
        now = members(path)
        names = held.keys() | now.keys()
        found += [f"{path}.{name}" for name in names if held.get(name) is not now.get(name)]
    return found


def test_uninstrument_restores_exactly(kept: Captured) -> None:
    """Every class and module that was patched holds the very same objects as before."""
    before = {path: members(path) for path in PATCHED}
    instrument(kept)
    patched = changed(before)
    otel_stream.uninstrument()

    assert "openai._base_client:SyncAPIClient.request" in patched
    assert changed(before) == []


def test_nothing_else_is_patched(kept: Captured) -> None:
    """Of the modules of an SDK no other than those is changed."""
    known = {path.partition(":")[0] for path in PATCHED}
    others = [name for name in sys.modules if name.partition(".")[0] in ("openai", "anthropic")]
    before = {f"{name}:": members(f"{name}:") for name in others if name not in known}
    instrument(kept)

    assert changed(before) == []


def test_uninstrumented_is_untraced(serve: Serve, client: Client, kept: Captured) -> None:
    """After it no call is traced, nor by a client that was made before."""
    instrument(kept)
    made = client("openai")
    otel_stream.uninstrument()
    serve(chat_completion())
    made.chat.completions.create(**CHAT)

    assert kept.spans() == []


def test_open_stream_survives(serve: Serve, client: Client, kept: Captured) -> None:
    """A stream that is open when we are undone is still read whole, and told."""
    instrument(kept)
    serve(chat_text(["Hello", " you"]))
    stream = client("openai").chat.completions.create(**CHAT, stream=True)
    first = next(stream)
    otel_stream.uninstrument()
    rest = list(stream)

    assert len([first, *rest]) == 4
    assert (kept.span().attributes or {})["otel_stream.outcome"] == "completed"


def test_twice(
    serve: Serve, client: Client, kept: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """A second time with the same arguments changes nothing and says nothing."""
    instrument(kept)
    instrument(kept)
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert len(kept.spans()) == 1
    assert caplog.messages == []


def test_twice_with_other_arguments(
    serve: Serve, client: Client, kept: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """A second time with other arguments warns, and changes nothing."""
    instrument(kept)
    other = Captured()
    instrument(other, capture_content=True)
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert len(caplog.messages) == 1
    assert "ignored" in caplog.messages[0]
    assert len(kept.spans()) == 1
    assert other.spans() == []
    other.shutdown()


def test_again_after_undoing(serve: Serve, client: Client, kept: Captured) -> None:
    """Undone and done again, it traces once."""
    for _ in range(2):
        otel_stream.uninstrument()
        instrument(kept)
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert len(kept.spans()) == 1


def test_undoing_what_others_started(kept: Captured) -> None:
    """What `opentelemetry-instrument` or the application has started by itself is undone too."""
    before = {path: members(path) for path in PATCHED}
    OpenAIInstrumentor().instrument(tracer_provider=kept.tracer_provider)
    patched = changed(before)
    otel_stream.uninstrument()

    assert "openai._base_client:SyncAPIClient.request" in patched
    assert changed(before) == []


def test_again_after_one_was_undone(serve: Serve, client: Client, kept: Captured) -> None:
    """The same line again starts what somebody has undone by itself."""
    instrument(kept)
    OpenAIInstrumentor().uninstrument()
    instrument(kept)
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)

    assert len(kept.spans()) == 1


def test_undoing_twice(kept: Captured) -> None:
    """Undoing what is undone does nothing."""
    instrument(kept)
    otel_stream.uninstrument()
    otel_stream.uninstrument()

    assert "request" in members("openai._base_client:SyncAPIClient")


def test_client_made_before(serve: Serve, client: Client, kept: Captured) -> None:
    """A client that was made before the line is traced."""
    made = client("anthropic")
    instrument(kept)
    serve(message())
    made.messages.create(**MESSAGE)

    assert len(kept.spans()) == 1


@pytest.mark.parametrize("way", ["with_raw_response", "with_streaming_response"])
def test_raw_responses_kept_from_before(
    way: str, serve: Serve, client: Client, kept: Captured
) -> None:
    """So are `with_raw_response` and its like, taken and kept before the line."""
    create = getattr(client("openai").chat.completions, way).create
    instrument(kept)
    serve(chat_text(["Hi"]))
    answer = create(**CHAT, stream=True)
    if way == "with_raw_response":
        list(answer.parse())
    else:
        with answer as response:
            list(response.parse())

    assert (kept.span().attributes or {})["otel_stream.outcome"] == "completed"


def test_method_kept_from_before(serve: Serve, client: Client, kept: Captured) -> None:
    """So is a bound method."""
    create = client("openai").chat.completions.create
    instrument(kept)
    serve(chat_completion())
    create(**CHAT)

    assert len(kept.spans()) == 1


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"only": ("openai",)}, ["chat gpt-5-mini"]),
        ({"only": ("otel_stream_anthropic",)}, ["chat claude-opus-5"]),
        ({"exclude": ("openai",)}, ["chat claude-opus-5"]),
        ({"exclude": ("openai", "anthropic")}, []),
    ],
    ids=["only", "only by full name", "exclude", "exclude all"],
)
def test_chosen(
    settings: Any, names: list[str], serve: Serve, client: Client, kept: Captured
) -> None:
    """`only` and `exclude` choose the libraries."""
    instrument(kept, **settings)
    serve(chat_completion())
    client("openai").chat.completions.create(**CHAT)
    serve(message())
    client("anthropic").messages.create(**MESSAGE)

    assert [span.name for span in kept.spans()] == names


def test_wrong_choice(kept: Captured) -> None:
    """A library that does not exist is an error that says which there are; nothing is patched."""
    before = members("openai._base_client:SyncAPIClient")
    with pytest.raises(SettingsError, match=r"there are: .*anthropic, .*openai"):
        instrument(kept, only=("opnai",))

    assert members("openai._base_client:SyncAPIClient") == before


def test_subclasses_are_traced(serve: Serve, client: Client, kept: Captured) -> None:
    """A client class of the application's own is traced like the SDK's."""

    class Mine(anthropic.Anthropic):
        """With something of its own."""

    instrument(kept)
    made = client("anthropic")
    serve(message())
    Mine(base_url=made.base_url, api_key="test", http_client=made._client).messages.create(
        **MESSAGE
    )

    assert len(kept.spans()) == 1
