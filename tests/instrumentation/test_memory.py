"""A call that is over leaves nothing to collect, and holds nothing of the program."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from otel_stream.testing import (
    Captured,
    ProviderServer,
    Script,
    chat_completion,
    chat_text,
    openai_error,
)
from otel_stream.trace import Trace

from .clients import client_of
from .conftest import CHAT, Client, Serve

pytestmark = pytest.mark.sdk_matrix


class Prompt:
    """Something large of the program's."""


@pytest.fixture
def uncollected(captured: Captured) -> Iterator[None]:
    """No garbage is collected in this test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def traces() -> int:
    """How many calls are held, by whomever."""
    return sum(type(each) is Trace for each in gc.get_objects())


def whole(client: Any, serve: Serve) -> None:
    serve(chat_completion())
    client.chat.completions.create(**CHAT)


def streamed(client: Any, serve: Serve) -> None:
    serve(chat_text(["Hi"]))
    list(client.chat.completions.create(**CHAT, stream=True))


def raw(client: Any, serve: Serve) -> None:
    serve(chat_text(["Hi"]))
    with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        list(response.iter_lines())


@pytest.mark.parametrize("call", [whole, streamed, raw])
def test_calls_are_not_kept(
    call: Callable[[Any, Serve], None], serve: Serve, client: Client, uncollected: None
) -> None:
    """What is known of a call goes with it, and with it the request's body."""
    made = client("openai")
    for _ in range(5):
        call(made, serve)

    assert traces() == 0


@pytest.mark.parametrize(
    "answer",
    [Script.json(openai_error(), 400), Script.stream(chat_text(["Hi"])[:2], ending="reset")],
    ids=["refused", "reset"],
)
def test_errors_hold_nothing(
    answer: Script, serve: Serve, client: Client, uncollected: None
) -> None:
    """After an error the program's own objects are freed as soon as the program lets them go."""

    def ask() -> weakref.ref[Prompt]:
        prompt = Prompt()
        try:
            list(client("openai").chat.completions.create(**CHAT, stream=True))
        except openai.APIError:
            return weakref.ref(prompt)
        except Exception as error:  # noqa: BLE001 - the SDK lets some through
            del error
            return weakref.ref(prompt)
        raise AssertionError("nothing was raised")

    serve(answer)

    assert ask()() is None


def test_tasks_hold_nothing(server: ProviderServer, uncollected: None) -> None:
    """So are those of a task whose loop has raised."""
    server.script(None, Script.stream(chat_text(["Hi"])))
    prompts: list[weakref.ref[Prompt]] = []

    async def ask(client: Any) -> None:
        prompt = Prompt()
        prompts.append(weakref.ref(prompt))
        async for _ in await client.chat.completions.create(**CHAT, stream=True):
            raise KeyError

    async def main() -> Prompt | None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # Nobody asks the task what it has raised.
        client = client_of("openai", server, asynchronous=True)
        await asyncio.wait({asyncio.create_task(ask(client))})
        await asyncio.sleep(0)
        left = prompts[0]()
        await client.close()
        return left

    assert asyncio.run(main()) is None
