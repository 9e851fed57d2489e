"""The built streams, as the providers' own SDKs read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest

from otel_stream.testing import (
    MISSING,
    ChatStream,
    MessageStream,
    ProviderServer,
    ResponseStream,
    Script,
    ToolCall,
    anthropic_error,
    chat_choices,
    chat_completion,
    chat_reasoning,
    chat_refusal,
    chat_text,
    chat_tools,
    chat_usage,
    citation,
    completion,
    completion_text,
    crlf,
    message,
    message_text,
    message_thinking,
    message_tools,
    message_usage,
    openai_error,
    pieces,
    response,
    response_text,
    response_tools,
)

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")
pytestmark = pytest.mark.sdk_matrix

WORDS = ["Olá", ",", " você", "."]
TEXT = "".join(WORDS)
ASK = [{"role": "user", "content": "Say hello."}]
TWO = [ToolCall(), ToolCall("get_time", '{"zone": "UTC"}', "call_2", 1)]

CHAT = {
    "text": chat_text(WORDS, usage=chat_usage()),
    "no finish reason": chat_text(WORDS, finish=None),
    "no [DONE]": chat_text(WORDS, done=False),
    "tools": chat_tools(TWO),
    "interleaved tools": chat_tools(TWO, interleaved=True),
    "tool without an index": chat_tools([ToolCall(index=MISSING)]),
    "tool with a null index": chat_tools([ToolCall(index=None)]),
    "tool with an odd index": chat_tools([ToolCall(index=7)]),
    "tool with a late name": chat_tools([ToolCall(late_name=True)]),
    "reasoning_content": chat_reasoning(["Hm", "…"], WORDS),
    "reasoning": chat_reasoning(["Hm", "…"], WORDS, "reasoning"),
    "refusal": chat_refusal(["No", " way"]),
    "two choices": chat_choices([WORDS, ["Hi"]]),
    "Azure": ChatStream().prompt_filter().role().text(WORDS).finish().done(),
    "Groq": ChatStream().role().text(WORDS).x_groq().done(),
    "comments": ChatStream().comment().role().comment().text(WORDS).finish().done(),
    "CRLF": crlf(chat_text(WORDS)),
    "pieces of 7 bytes": pieces(chat_text(WORDS), 7),
}
RESPONSES = {
    "text": response_text(WORDS),
    "tools": response_tools(TWO),
    "reasoning": ResponseStream().created().reasoning(["Hm", "…"]).text(WORDS).completed(),
    "full reasoning": ResponseStream().created().reasoning(["Hm"], full=True).completed(),
    "refusal": ResponseStream().created().in_progress().refusal(["No", " way"]).completed(),
    "web search": ResponseStream().created().web_search().text(WORDS).completed(),
    "file search": ResponseStream().created().hosted_tool("file_search_call").completed(),
    "custom tool": ResponseStream().created().function_call(custom=True).completed(),
    "incomplete": ResponseStream().created().text(WORDS).incomplete(),
    "failed": ResponseStream().created().text(WORDS).failed(),
    "error": ResponseStream().created().text(WORDS).error(),
    "no terminal event": response_text(WORDS)[:-1],
}
MESSAGES = {
    "text": message_text(WORDS),
    "thinking": message_thinking(["Hm", "…"], WORDS),
    "redacted": MessageStream().start().redacted_thinking().text(WORDS).delta().stop(),
    "tools": message_tools(["get_weather", "get_time"]),
    "citations": MessageStream().start().text(WORDS, [citation()]).delta().stop(),
    "web search": MessageStream().start().web_search().text(WORDS).delta().stop(),
    "pause": MessageStream().start().web_search().delta("pause_turn").stop(),
    "refusal": message_text(WORDS, "refusal"),
    "cache": message_text(WORDS, usage=message_usage(cache_read=90, cache_creation=30)),
    "no terminal event": message_text(WORDS)[:-1],
}
STREAMS = [
    *(("chat", name, events) for name, events in CHAT.items()),
    ("completions", "text", completion_text(WORDS, usage=chat_usage())),
    *(("responses", name, events) for name, events in RESPONSES.items()),
    *(("messages", name, events) for name, events in MESSAGES.items()),
]


def client(server: ProviderServer, api: str, asynchronous: bool = False) -> Any:
    """A client of the SDK for *api*."""
    if api == "messages":
        kind = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
        return kind(base_url=server.anthropic_url, api_key="test", max_retries=0)
    kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return kind(base_url=server.openai_url, api_key="test", max_retries=0)


def create(sdk: Any, api: str, **keys: Any) -> Any:
    """Call *api*'s `create`."""
    if api == "chat":
        return sdk.chat.completions.create(model="m", messages=ASK, **keys)
    if api == "completions":
        return sdk.completions.create(model="m", prompt="Say hello.", **keys)
    if api == "responses":
        return sdk.responses.create(model="m", input="Say hello.", **keys)
    return sdk.messages.create(model="m", messages=ASK, max_tokens=9, **keys)


def read(server: ProviderServer, api: str, events: Iterable[bytes]) -> list[Any]:
    """What the SDK hands out for *events*."""
    server.script(None, Script.stream(events))
    with client(server, api) as sdk:
        return list(create(sdk, api, stream=True))


async def aread(server: ProviderServer, api: str, events: Iterable[bytes]) -> list[Any]:
    """What the async SDK hands out for *events*."""
    server.script(None, Script.stream(events))
    async with client(server, api, asynchronous=True) as sdk:
        return [item async for item in await create(sdk, api, stream=True)]


def answer(server: ProviderServer, api: str, body: Any, status: int = 200) -> Any:
    """What the SDK makes of a reply that is not streamed."""
    server.script(None, Script.json(body, status))
    with client(server, api) as sdk:
        return create(sdk, api)


def type_of(item: Any) -> str | None:
    """The `type` of an item. openai 1.66 hands out an error event as its `event` and `data`."""
    found: str | None = getattr(item, "type", None) or getattr(item, "event", None)
    return found


def types_of(events: Sequence[bytes]) -> list[str | None]:
    """The `type` of each event with JSON data, pings left out."""
    lines = b"".join(events).replace(b"\r", b"").decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    found = [json.loads(one).get("type") for one in data]
    return [one for one in found if one != "ping"]


@pytest.mark.parametrize(("api", "name", "events"), STREAMS)
async def test_sdk_hands_out_every_event(
    server: ProviderServer, api: str, name: str, events: list[bytes]
) -> None:
    """Both SDK clients hand out one typed item for each event, pings and `[DONE]` aside."""
    items = read(server, api, events)
    again = await aread(server, api, events)

    assert [type_of(item) for item in items] == types_of(events)
    assert [repr(item) for item in again] == [repr(item) for item in items]


@pytest.mark.parametrize("name", ["text", "Azure", "Groq", "comments", "CRLF", "pieces of 7 bytes"])
def test_chat_text(server: ProviderServer, name: str) -> None:
    """The words of a chat answer arrive one in a chunk."""
    chunks = read(server, "chat", CHAT[name])
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]

    assert [text for text in deltas if text] == WORDS


@pytest.mark.parametrize("name", ["tools", "interleaved tools"])
def test_chat_tools(server: ProviderServer, name: str) -> None:
    """The pieces of parallel tool calls can be put together by their index."""
    chunks = read(server, "chat", CHAT[name])
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    joined = {0: "", 1: ""}
    for call in calls:
        joined[call.index] += call.function.arguments

    assert [call.function.name for call in calls if call.id] == ["get_weather", "get_time"]
    assert joined == {0: '{"city":"Recife"}', 1: '{"zone": "UTC"}'}


def test_chat_error_event_raises(server: ProviderServer) -> None:
    """The SDK raises at the error event, with what it says."""
    with pytest.raises(openai.APIError, match="on fire"):
        read(server, "chat", ChatStream().role().text(WORDS).error())


def test_chat_helper(server: ProviderServer) -> None:
    """The SDK's `.stream()` helper puts the chat answer together."""
    server.script(None, Script.stream(CHAT["text"]))
    with client(server, "chat") as sdk:
        completions = sdk.chat.completions
        if not hasattr(completions, "stream"):
            completions = sdk.beta.chat.completions
        with completions.stream(model="m", messages=ASK) as stream:
            final = stream.get_final_completion()

    assert (final.choices[0].message.content, final.usage.total_tokens) == (TEXT, 14)


async def test_responses_helper(server: ProviderServer) -> None:
    """The async SDK's `.stream()` helper puts the response together."""
    server.script(None, Script.stream(RESPONSES["text"]))
    async with AsyncExitStack() as stack:
        sdk = await stack.enter_async_context(client(server, "responses", asynchronous=True))
        if not hasattr(sdk.responses, "stream"):
            pytest.skip("this SDK has no helper for responses")
        manager = sdk.responses.stream(model="m", input="Say hello.")
        final = await (await stack.enter_async_context(manager)).get_final_response()

    assert (final.output_text, final.status) == (TEXT, "completed")


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("text", ["text"]),
        ("thinking", ["thinking", "text"]),
        ("redacted", ["redacted_thinking", "text"]),
        ("tools", ["tool_use", "tool_use"]),
        ("web search", ["server_tool_use", "web_search_tool_result", "text"]),
    ],
)
def test_messages_helper(server: ProviderServer, name: str, blocks: list[str]) -> None:
    """The SDK's `.stream()` helper puts the message together."""
    server.script(None, Script.stream(MESSAGES[name]))
    with ExitStack() as stack:
        sdk = stack.enter_context(client(server, "messages"))
        manager = sdk.messages.stream(model="m", messages=ASK, max_tokens=9)
        final = stack.enter_context(manager).get_final_message()

    assert [block.type for block in final.content] == blocks
    assert final.usage.output_tokens == 5


def test_message_error_event_raises(server: ProviderServer) -> None:
    """The SDK raises at the error event, although the status was 200."""
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        read(server, "messages", MessageStream().start().text(WORDS, stop=False).error())


def test_answers_that_do_not_stream(server: ProviderServer) -> None:
    """The SDKs read the JSON bodies."""
    chat = answer(server, "chat", chat_completion(TEXT, tools=TWO)).choices[0].message
    found = [chat.content, answer(server, "completions", completion(TEXT)).choices[0].text]
    found.append(answer(server, "responses", response(TEXT)).output_text)
    found.append(answer(server, "messages", message(TEXT)).content[0].text)

    assert found == [TEXT] * 4
    assert [call.function.name for call in chat.tool_calls] == ["get_weather", "get_time"]


def test_http_errors(server: ProviderServer) -> None:
    """The SDKs raise their own exception for an HTTP error, with the provider's request id."""
    with pytest.raises(openai.RateLimitError) as first:
        answer(server, "chat", openai_error(), 429)
    with pytest.raises(anthropic.RateLimitError) as second:
        answer(server, "messages", anthropic_error(), 429)

    assert (first.value.code, first.value.request_id) == ("rate_limit_exceeded", "req_1")
    assert second.value.response.headers["request-id"] == "req_2"


def test_pieces_are_the_same_bytes() -> None:
    """`pieces` cuts across events and characters and loses nothing."""
    cut = pieces(CHAT["text"], 7)

    assert b"".join(cut) == b"".join(CHAT["text"])
    assert {len(piece) for piece in cut[:-1]} == {7}
