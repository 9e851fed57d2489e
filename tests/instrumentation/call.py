"""One way to make a call."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai

from .opened import Opened
from .wires import Wire

__all__ = ["Call", "Open", "Steps"]

Steps = Generator[Any, Any, Opened]
"""Opens a call. Yields what an async client has to await, and is sent its result."""

Open = Callable[[Callable[..., Any], dict[str, Any]], Steps]


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
        kind: What is read: `events` of a stream; `texts`; `raw` lines or bytes; `final`, the
            whole answer in one piece; or `answer`, where nothing is streamed.
    """

    name: str
    sdk: str
    method: tuple[str, ...]
    wire: Wire
    open: Open
    arguments: dict[str, Any] = field(default_factory=dict)
    kind: str = "events"

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
