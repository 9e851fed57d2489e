"""What a provider sends in answer to a streamed call, cut where the endings need it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from otel_stream.testing import (
    ChatStream,
    CompletionStream,
    Cut,
    End,
    Hang,
    HoldHeaders,
    MessageStream,
    Reset,
    ResponseStream,
    Script,
    Send,
    WaitFor,
    anthropic_error,
    chat_completion,
    chat_usage,
    completion,
    message,
    response,
)

__all__ = ["CHAT", "COMPLETION", "MESSAGE", "RESPONSE", "Play", "Wire"]

_HEADERS = {"content-type": "text/event-stream; charset=utf-8"}
_WORDS = ("Hello", " you", " there")


@dataclass(frozen=True)
class Wire:
    """One API's answer on the wire.

    Attributes:
        path: Where the request goes.
        opening: A beginning that says something and is not whole.
        terminal: From there to the terminal event, which is the last of them.
        closing: What follows it.
        error: An error event.
        code: The provider's code in it.
        mark: What stands in the `repr` of the chunk that is the terminal event.
        answer: The JSON of an answer that is not streamed.
        operation: `gen_ai.operation.name` of such a call.
    """

    path: str
    opening: list[bytes]
    terminal: list[bytes]
    closing: list[bytes]
    error: list[bytes]
    code: str
    mark: tuple[str, ...]
    answer: dict[str, Any]
    operation: str = "chat"

    @property
    def whole(self) -> list[bytes]:
        """Everything."""
        return self.opening + self.terminal + self.closing


def _cut(events: list[bytes], opening: int, terminal: int, error: bytes, **facts: Any) -> Wire:
    return Wire(
        opening=list(events[:opening]),
        terminal=list(events[opening:terminal]),
        closing=list(events[terminal:]),
        error=[error],
        **facts,
    )


def _chat() -> Wire:
    events = ChatStream().role().text(_WORDS).finish().usage(chat_usage()).done()
    mark = ("finish_reason='stop'", '"finish_reason": "stop"')
    facts: dict[str, Any] = {"path": "/v1/chat/completions", "code": "server_error", "mark": mark}
    return _cut(events, 3, 5, ChatStream().error()[0], answer=chat_completion(), **facts)


def _completion() -> Wire:
    events = CompletionStream().text(_WORDS).finish().usage(chat_usage()).done()
    mark = ("finish_reason='stop'", '"finish_reason": "stop"')
    facts: dict[str, Any] = {"path": "/v1/completions", "code": "server_error", "mark": mark}
    facts |= {"answer": completion(), "operation": "text_completion"}
    return _cut(events, 2, 4, ChatStream().error()[0], **facts)


def _response() -> Wire:
    events = ResponseStream().created().in_progress().text(_WORDS).completed()
    facts: dict[str, Any] = {"path": "/v1/responses", "code": "server_error", "answer": response()}
    mark = ("type='response.completed'", '"type": "response.completed"')
    return _cut(events, 6, len(events), ResponseStream().error()[0], mark=mark, **facts)


def _message() -> Wire:
    events = MessageStream().start().ping().text(_WORDS).delta().stop()
    facts: dict[str, Any] = {"path": "/v1/messages", "code": "overloaded_error"}
    facts["answer"] = message()
    mark = ("type='message_stop'", '"type": "message_stop"')
    return _cut(events, 5, len(events), MessageStream().error()[0], mark=mark, **facts)


CHAT = _chat()
COMPLETION = _completion()
RESPONSE = _response()
MESSAGE = _message()


Play = Callable[[Wire, threading.Event], Script]
"""What the server does; the event tells it to go on."""


def _script(*steps: Any) -> Script:
    return Script(steps, headers=_HEADERS)


def _send(events: list[bytes]) -> Send:
    """In one write, so that it arrives at once."""
    return Send(b"".join(events))


def whole(wire: Wire, go: threading.Event) -> Script:
    """The whole answer, event by event."""
    return _script(*(Send(event) for event in wire.whole), End())


def hanging(wire: Wire, go: threading.Event) -> Script:
    """The beginning, and then nothing."""
    return _script(_send(wire.opening), Hang())


def open_at_terminal(wire: Wire, go: threading.Event) -> Script:
    """The answer up to the terminal event, and then nothing: the body does not end."""
    return _script(_send(wire.opening + wire.terminal), Hang())


def paused(wire: Wire, go: threading.Event) -> Script:
    """The beginning; the rest when told."""
    rest = wire.terminal + wire.closing
    return _script(_send(wire.opening), WaitFor(go), _send(rest), End())


def failing(wire: Wire, go: threading.Event) -> Script:
    """The beginning and an error event."""
    return _script(_send(wire.opening), _send(wire.error), End())


def ending_early(wire: Wire, go: threading.Event) -> Script:
    """The beginning, and the end of the body as if all were well."""
    return _script(_send(wire.opening), End())


def cut(wire: Wire, go: threading.Event) -> Script:
    """The beginning, and the connection is closed within the body."""
    return _script(_send(wire.opening), Cut())


def reset(wire: Wire, go: threading.Event) -> Script:
    """The beginning, and the connection is reset."""
    return _script(_send(wire.opening), Reset())


def refused(wire: Wire, go: threading.Event) -> Script:
    """An HTTP error."""
    return Script.json(anthropic_error("invalid_request_error", "No such model."), 400)


def silent(wire: Wire, go: threading.Event) -> Script:
    """Nothing at all, until told."""
    return Script([HoldHeaders(go), Cut()])


def answered(wire: Wire, go: threading.Event) -> Script:
    """The whole answer at once, for who did not ask for a stream."""
    return Script.json(wire.answer)


def answer_cut(wire: Wire, go: threading.Event) -> Script:
    """Half of that answer, and the connection is closed."""
    return Script([Send(b'{"id": '), Cut()], headers={"content-type": "application/json"})


def answer_reset(wire: Wire, go: threading.Event) -> Script:
    """No answer: the connection is reset."""
    return Script([Reset()])
