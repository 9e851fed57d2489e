"""A tool call as a chat answer tells it, also in the odd ways in which some servers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["MISSING", "ToolCall"]

MISSING: Any = object()
"""For `ToolCall.index`: the key is left out, as some servers do."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of a chat answer.

    Args:
        name: The function's name.
        arguments: The JSON of its arguments: whole, or in the pieces in which it is streamed.
        id: The call's id; None is sent as null.
        index: Its place: a number, None (sent as null), or `MISSING`.
        late_name: The name comes after the first piece of the arguments, not with the id.
    """

    name: str = "get_weather"
    arguments: str | Sequence[str] = ('{"city":', '"Recife"', "}")
    id: str | None = "call_1"
    index: Any = 0
    late_name: bool = False

    @property
    def whole(self) -> str:
        """The JSON of all arguments."""
        return "".join(self.arguments)

    def deltas(self) -> list[dict[str, Any]]:
        """The items of `delta.tool_calls` that tell this call, in order."""
        pieces = [self.arguments] if isinstance(self.arguments, str) else list(self.arguments)
        head: dict[str, Any] = {"id": self.id, "type": "function"}
        functions: list[dict[str, Any]] = [{"arguments": piece} for piece in pieces]
        if self.late_name:
            functions.insert(1, {"name": self.name, "arguments": ""})
        else:
            functions.insert(0, {"name": self.name, "arguments": ""})
        place = {} if self.index is MISSING else {"index": self.index}
        first, *rest = functions
        return [place | head | {"function": first}, *(place | {"function": one} for one in rest)]
