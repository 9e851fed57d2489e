"""Every way to make a streamed call: which method, what it hands out, and what a reader reads."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai

from .opened import Opened, bytes_of, final_of, lines_of, texts_of
from .wires import CHAT, COMPLETION, MESSAGE, RESPONSE, Wire

__all__ = ["CALLS", "Call", "Steps"]

Steps = Generator[Any, Any, Opened]
"""Opens a call. Yields what an async client has to await, and is sent its result."""

HI = [{"role": "user", "content": "Hi"}]
CHATS = {"model": "gpt-5-mini", "messages": HI}
PROMPTS = {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"}
INPUTS = {"model": "gpt-5", "input": "Hi"}
MESSAGES = {"model": "claude-opus-5", "messages": HI, "max_tokens": 64}


@dataclass(frozen=True)
class Call:
    """One way to call.

    Attributes:
        name: Names it in the test's id.
        sdk: `openai` or `anthropic`.
        method: Where the SDK has it; several places, for it moved.
        wire: What answers.
        open: Makes the call, and hands out what the application then holds.
        arguments: What it is called with.
        kind: What is read: `events` of a stream; `texts`; `raw` lines or bytes; or `final`, the
            whole answer in one piece.
        helper: Whether the SDK reads its own stream to make what is read.
    """

    name: str
    sdk: str
    method: tuple[str, ...]
    wire: Wire
    open: Callable[[Callable[..., Any], dict[str, Any]], Steps]
    arguments: dict[str, Any] = field(default_factory=dict)
    kind: str = "events"
    helper: bool = False

    def begin(self, client: Any) -> Steps:
        """Make the call with *client*."""
        return self.open(_method(client, self.method), self.arguments)

    @property
    def exists(self) -> bool:
        """Whether the installed SDK has it."""
        sdk = {"openai": openai.OpenAI, "anthropic": anthropic.Anthropic}[self.sdk]
        return _method(sdk(api_key="none"), self.method) is not None


def _method(client: Any, places: tuple[str, ...]) -> Any:
    for place in places:
        found = client
        for name in place.split("."):
            found = getattr(found, name, None)
        if found is not None:
            return found
    return None


def _entered(manager: Any) -> Any:
    return manager.__aenter__() if hasattr(manager, "__aenter__") else manager.__enter__()


# What a call hands out


def streamed(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`create(stream=True)`: a stream."""
    stream = yield method(**arguments, stream=True)
    return Opened(stream)


def helped(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`stream()`: a manager of a stream of events."""
    manager = method(**arguments)
    stream = yield _entered(manager)
    return Opened(stream, manager=manager)


def helped_texts(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`stream()`, of which only `text_stream` is read."""
    manager = method(**arguments)
    stream = yield _entered(manager)
    return Opened(stream, texts_of, manager=manager)


def helped_final(name: str) -> Callable[[Callable[..., Any], dict[str, Any]], Steps]:
    """`stream()`, of which only the whole answer is asked for."""

    def opened(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
        manager = method(**arguments)
        stream = yield _entered(manager)
        return Opened(stream, final_of(name), manager=manager)

    return opened


def raw_parsed(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`with_raw_response`, parsed."""
    raw = yield method(**arguments, stream=True)
    stream = yield raw.parse()
    return Opened(stream, handed_out=raw)


def raw_lines(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`with_raw_response`, of which the lines of the HTTP response are read."""
    raw = yield method(**arguments, stream=True)
    return Opened(raw.http_response, lines_of, handed_out=raw)


def streaming_parsed(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`with_streaming_response`, parsed."""
    manager = method(**arguments, stream=True)
    response = yield _entered(manager)
    stream = yield response.parse()
    return Opened(stream, manager=manager, handed_out=response)


def streaming_lines(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`with_streaming_response`, read by lines."""
    manager = method(**arguments, stream=True)
    response = yield _entered(manager)
    return Opened(response, lines_of, manager=manager)


def streaming_bytes(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """`with_streaming_response`, read by bytes."""
    manager = method(**arguments, stream=True)
    response = yield _entered(manager)
    return Opened(response, bytes_of, manager=manager)


def tools_run(method: Callable[..., Any], arguments: dict[str, Any]) -> Steps:
    """The tool runner: each turn is a stream."""
    runner = method(**arguments, tools=[], stream=True)
    stream = yield runner.__anext__() if hasattr(runner, "__anext__") else runner.__next__()
    return Opened(stream, handed_out=runner)


def _raw(sdk: str, place: str, wire: Wire, arguments: dict[str, Any]) -> list[Call]:
    """The ways of raw and streaming responses, which every method has."""
    raw, streaming = f"{place}.with_raw_response.create", f"{place}.with_streaming_response.create"
    name = f"{sdk}.{place.replace('completions', '').strip('.') or 'completions'}"
    return [
        Call(f"{name}.raw.parse", sdk, (raw,), wire, raw_parsed, arguments),
        Call(f"{name}.raw.lines", sdk, (raw,), wire, raw_lines, arguments, "raw"),
        Call(f"{name}.streaming.parse", sdk, (streaming,), wire, streaming_parsed, arguments),
        Call(f"{name}.streaming.lines", sdk, (streaming,), wire, streaming_lines, arguments, "raw"),
        Call(f"{name}.streaming.bytes", sdk, (streaming,), wire, streaming_bytes, arguments, "raw"),
    ]


def _create(sdk: str, name: str, place: str, wire: Wire, arguments: dict[str, Any]) -> Call:
    return Call(f"{sdk}.{name}.create", sdk, (f"{place}.create",), wire, streamed, arguments)


def _openai() -> list[Call]:
    chat = ("chat.completions.stream", "beta.chat.completions.stream")
    final = helped_final("get_final_completion")
    last = helped_final("get_final_response")
    places = ("responses.stream",)
    return [
        _create("openai", "chat", "chat.completions", CHAT, CHATS),
        Call("openai.chat.stream", "openai", chat, CHAT, helped, CHATS, "events", True),
        Call("openai.chat.final", "openai", chat, CHAT, final, CHATS, "final", True),
        *_raw("openai", "chat.completions", CHAT, CHATS),
        _create("openai", "completions", "completions", COMPLETION, PROMPTS),
        *_raw("openai", "completions", COMPLETION, PROMPTS),
        _create("openai", "responses", "responses", RESPONSE, INPUTS),
        Call("openai.responses.stream", "openai", places, RESPONSE, helped, INPUTS, "events", True),
        Call("openai.responses.final", "openai", places, RESPONSE, last, INPUTS, "final", True),
        *_raw("openai", "responses", RESPONSE, INPUTS),
    ]


def _anthropic(place: str) -> list[Call]:
    stream, name = (f"{place}.stream",), f"anthropic.{place}"

    def helper(way: str, open: Any, kind: str) -> Call:
        whole = f"{name}.stream.{way}"
        return Call(whole, "anthropic", stream, MESSAGE, open, MESSAGES, kind, True)

    return [
        _create("anthropic", place, place, MESSAGE, MESSAGES),
        helper("events", helped, "events"),
        helper("texts", helped_texts, "texts"),
        helper("message", helped_final("get_final_message"), "final"),
        helper("text", helped_final("get_final_text"), "final"),
        *_raw("anthropic", place, MESSAGE, MESSAGES),
    ]


def _tool_runner() -> Call:
    method = ("beta.messages.tool_runner",)
    name = "anthropic.beta.messages.tool_runner"
    return Call(name, "anthropic", method, MESSAGE, tools_run, MESSAGES, "events", True)


CALLS = [
    call
    for call in [
        *_openai(),
        *_anthropic("messages"),
        *_anthropic("beta.messages"),
        _tool_runner(),
    ]
    if call.exists
]
