"""What a call hands out: an answer, a stream, a manager, a raw response.

Each function makes the call, and yields what an async client has to await.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .call import Steps
from .opened import Opened, bytes_of, final_of, lines_of, texts_of

Method = Callable[..., Any]
Arguments = dict[str, Any]


def streamed(method: Method, arguments: Arguments) -> Steps:
    """`create(stream=True)`: a stream."""
    stream = yield method(**arguments, stream=True)
    return Opened(stream)


def helped(method: Method, arguments: Arguments) -> Steps:
    """`stream()`: a manager of a stream of events."""
    manager = method(**arguments)
    stream = yield _entered(manager)
    return Opened(stream, manager=manager)


def helped_texts(method: Method, arguments: Arguments) -> Steps:
    """`stream()`, of which only `text_stream` is read."""
    manager = method(**arguments)
    stream = yield _entered(manager)
    return Opened(stream, texts_of, manager=manager)


def helped_final(name: str) -> Callable[[Method, Arguments], Steps]:
    """`stream()`, of which only the whole answer is asked for."""

    def opened(method: Method, arguments: Arguments) -> Steps:
        manager = method(**arguments)
        stream = yield _entered(manager)
        return Opened(stream, final_of(name), manager=manager)

    return opened


def raw_parsed(method: Method, arguments: Arguments) -> Steps:
    """`with_raw_response`, parsed."""
    raw = yield method(**arguments, stream=True)
    stream = yield raw.parse()
    return Opened(stream, handed_out=raw)


def raw_lines(method: Method, arguments: Arguments) -> Steps:
    """`with_raw_response`, of which the lines of the HTTP response are read."""
    raw = yield method(**arguments, stream=True)
    return Opened(raw.http_response, lines_of, handed_out=raw)


def streaming_parsed(method: Method, arguments: Arguments) -> Steps:
    """`with_streaming_response`, parsed."""
    manager = method(**arguments, stream=True)
    response = yield _entered(manager)
    stream = yield response.parse()
    return Opened(stream, manager=manager, handed_out=response)


def streaming_lines(method: Method, arguments: Arguments) -> Steps:
    """`with_streaming_response`, read by lines."""
    manager = method(**arguments, stream=True)
    response = yield _entered(manager)
    return Opened(response, lines_of, manager=manager)


def streaming_bytes(method: Method, arguments: Arguments) -> Steps:
    """`with_streaming_response`, read by bytes."""
    manager = method(**arguments, stream=True)
    response = yield _entered(manager)
    return Opened(response, bytes_of, manager=manager)


def tools_run(method: Method, arguments: Arguments) -> Steps:
    """The tool runner: each turn is a stream."""
    runner = method(**arguments, tools=[], stream=True)
    stream = yield runner.__anext__() if hasattr(runner, "__anext__") else runner.__next__()
    return Opened(stream, handed_out=runner)


# What is not streamed


def whole(method: Method, arguments: Arguments) -> Steps:
    """`create` or `parse`: an answer."""
    answer = yield method(**arguments)
    return Opened(answer)


def raw_whole(method: Method, arguments: Arguments) -> Steps:
    """`with_raw_response`, parsed."""
    raw = yield method(**arguments)
    answer = yield raw.parse()
    return Opened(answer, handed_out=raw)


def streaming_whole(method: Method, arguments: Arguments) -> Steps:
    """`with_streaming_response`, parsed."""
    manager = method(**arguments)
    response = yield _entered(manager)
    answer = yield response.parse()
    return Opened(answer, handed_out=response)


def streaming_body(method: Method, arguments: Arguments) -> Steps:
    """`with_streaming_response`, of which the body is read."""
    manager = method(**arguments)
    response = yield _entered(manager)
    body = yield response.read()
    return Opened(body, handed_out=response)


def tools_done(method: Method, arguments: Arguments) -> Steps:
    """The tool runner, run until it is done."""
    runner = method(**arguments, tools=[])
    answer = yield runner.until_done()
    return Opened(answer, handed_out=runner)


def _entered(manager: Any) -> Any:
    return manager.__aenter__() if hasattr(manager, "__aenter__") else manager.__enter__()
