"""The content of one answer, kept only when asked for, and only up to a bound."""

from __future__ import annotations

from typing import Any

__all__ = ["Capture", "CutText", "Piece"]

_PIECES_KEPT = 4096
"""Parts of one answer: hundreds are unusual, and an endless stream of empty ones is bounded too."""


class CutText(str):
    """Text of which the end was left out."""

    __slots__ = ()


class Piece:
    """One message part in the making: text, reasoning, refusal or a tool call."""

    __slots__ = ("cut", "done", "id", "kind", "name", "server", "texts")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.texts: list[str] = []
        self.name: str | None = None
        self.id: str | None = None
        self.server = False
        self.cut = False
        self.done: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """All that came and was kept, joined."""
        text = "".join(self.texts)
        return CutText(text) if self.cut else text


class Capture:
    """Joins deltas into parts, a list of parts for each choice, `limit` characters in all.

    What comes beyond the limit is left out and `truncated` says so.
    """

    __slots__ = ("_last", "_left", "_pieces", "_tools", "choices", "truncated")

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._pieces = 0
        self._last: dict[int, Piece] = {}
        self._tools: dict[tuple[int, Any], Piece] = {}
        self.choices: dict[int, list[Piece]] = {}
        self.truncated = False

    def text(self, kind: str, text: str, choice: int) -> None:
        """A piece of text of that kind: `text`, `reasoning` or `refusal`."""
        if self._left <= 0:
            self.truncated = self.truncated or bool(text)
            return
        last = self._last.get(choice)
        if last is None or last.kind != kind:
            last = self._begin(kind, choice)
        self._append(last, text)

    def whole_text(self, choice: int = 0) -> str:
        """All text of a choice, as far as it was kept."""
        pieces = self.choices.get(choice, ())
        return "".join(piece.text for piece in pieces if piece.kind == "text")

    def tool(self, key: Any, choice: int) -> Piece:
        """The tool call with that key, begun if it is new."""
        piece = self._tools.get((choice, key))
        if piece is None:
            piece = self._begin("tool_call", choice)
            if self._pieces < _PIECES_KEPT:
                self._tools[choice, key] = piece
        return piece

    def arguments(self, piece: Piece, text: str) -> None:
        """More of a tool call's arguments."""
        self._append(piece, text)

    def part(self, part: dict[str, Any], choice: int, size: int) -> None:
        """A finished part, `size` characters large."""
        if size > self._left:
            self.truncated = True
            return
        self._left -= size
        self._begin("part", choice).done = part

    def _begin(self, kind: str, choice: int) -> Piece:
        piece = Piece(kind)
        if self._pieces >= _PIECES_KEPT:
            self.truncated = True
            return piece
        self._pieces += 1
        self._last[choice] = piece
        self.choices.setdefault(choice, []).append(piece)
        return piece

    def _append(self, piece: Piece, text: str) -> None:
        if len(text) > self._left:
            self.truncated = piece.cut = True
            text = text[: self._left]
        self._left -= len(text)
        if text:
            piece.texts.append(text)
