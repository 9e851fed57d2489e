"""What a chunk adds: the vocabulary between a provider's chunks and the recorder.

A reader turns one chunk into nothing (`None`), a plain `str` (text of the first choice: by far the
most frequent, so it costs no object), one of the structs below, or a list of them in wire order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

__all__ = [
    "Delta",
    "Failure",
    "Finish",
    "Found",
    "Nested",
    "Part",
    "Reader",
    "Reasoning",
    "Refusal",
    "Response",
    "Skip",
    "Terminal",
    "Text",
    "ToolCall",
    "Usage",
]


class Text(msgspec.Struct, frozen=True, gc=False):
    """Text that a person can read, of choice `choice`."""

    text: str
    choice: int = 0


class Reasoning(msgspec.Struct, frozen=True, gc=False):
    """Reasoning (thinking) text. Empty text says only that the model reasons."""

    text: str
    choice: int = 0


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """Text with which the model refuses, where the provider keeps it apart from the answer."""

    text: str
    choice: int = 0


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A piece of a tool call: its beginning, its name, or a part of its arguments.

    `key` tells the calls of a choice apart; pieces with the same key belong together. `server`
    marks a tool that the provider runs itself.
    """

    key: Any
    name: str | None = None
    id: str | None = None
    arguments: str = ""
    choice: int = 0
    server: bool = False


class Part(msgspec.Struct, frozen=True):
    """A finished message part that is not told in deltas, in the convention's form."""

    part: dict[str, Any]
    choice: int = 0


class Nested(msgspec.Struct, frozen=True, gc=False):
    """Something that a run inside this one adds, such as the text of a team's member.

    It is there for this stream's first times, since it can be read here. Its size and its content
    are told by that run's own stream.
    """

    found: str | Reasoning | Refusal | ToolCall


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Token counts as the provider reports them, so far. `None` is unknown, never zero.

    Counts are cumulative: a later value replaces an earlier one. `input` includes cached tokens
    (convention `gen_ai.usage.input_tokens`). `final` is false for the seed that some providers send
    before the answer.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_creation: int | None = None
    reasoning: int | None = None
    final: bool = True


class Finish(msgspec.Struct, frozen=True, gc=False):
    """The provider's reason why a choice ended."""

    reason: str
    choice: int = 0


class Response(msgspec.Struct, frozen=True):
    """Who answered: the response's id and model, and other facts as span attributes."""

    id: str | None = None
    model: str | None = None
    attributes: dict[str, Any] | None = None


class Terminal(msgspec.Struct, frozen=True, gc=False):
    """The provider says that the answer is whole. `partial`: it stopped short on purpose.

    With `last`, nothing that matters can follow. `cancelled`: somebody had it stopped, and the
    provider says so.
    """

    partial: bool = False
    last: bool = False
    cancelled: bool = False


class Failure(msgspec.Struct, frozen=True, gc=False):
    """An error event: the provider's code and message. `chunk`: it counts as a chunk."""

    code: str
    message: str = ""
    chunk: bool = False


class Skip(msgspec.Struct, frozen=True, gc=False):
    """An event that is no chunk, such as a ping."""


Delta = (
    Text
    | Reasoning
    | Refusal
    | ToolCall
    | Part
    | Nested
    | Usage
    | Finish
    | Response
    | Terminal
    | Failure
    | Skip
)
Found = str | Delta | Sequence[str | Delta] | None


class Reader(Protocol):
    """Reads one stream of one API. It may keep what it needs to join pieces, and does no I/O."""

    def read(self, chunk: Any, /) -> Found:
        """What `chunk` adds. Called once for each chunk, in order. May raise: the caller guards."""
        ...

    def whole(self, done: bool, /) -> bool:
        """Whether the answer is whole, asked when the body has ended cleanly without a `Terminal`.

        `done` tells that the wire's own end mark (`[DONE]`) was seen.
        """
        ...

    def failure(self, error: BaseException, /) -> Failure | None:
        """The error event that an exception out of a read stands for, if it stands for one."""
        ...
