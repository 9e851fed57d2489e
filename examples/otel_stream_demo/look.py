"""Signs and colors, of the live display and of the pictures."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["KINDS", "MOMENTS", "OUTCOMES", "WAITS", "WORK", "Look", "Mark", "counted"]


class Mark(NamedTuple):
    """How something looks, in Unicode and in ASCII, and what it means."""

    sign: str
    plain: str
    style: str
    meaning: str


KINDS = {
    "text": Mark("■", "#", "green", "text"),
    "reasoning": Mark("◇", "*", "magenta", "reasoning"),
    "tool_call": Mark("▲", "&", "yellow", "tool call"),
    "refusal": Mark("▼", "R", "red", "refusal"),
    "other": Mark("+", "+", "bright_black", "no content"),
}
"""Chunks, by what they bring; `other` bring nothing that a person could read."""
WAITS = {
    "asked": Mark("·", ".", "bright_black", "asked"),
    "headers": Mark("┄", ":", "cyan", "headers came, no token yet"),
    "provider": Mark("─", "-", "bright_black", "waits for the provider"),
    "stall": Mark("▒", "!", "red", "stall"),
    "reader": Mark("░", "~", "blue", "the reader is busy"),
}
"""The time between chunks, by what is waited for."""
OUTCOMES = {
    "completed": Mark("●", "@", "green", "completed"),
    "closed_early": Mark("◐", "<", "yellow", "closed_early"),
    "cancelled": Mark("◌", "c", "yellow", "cancelled"),
    "abandoned": Mark("○", "?", "yellow", "abandoned"),
    "truncated": Mark("✂", "%", "bold red", "truncated"),
    "error": Mark("✖", "X", "bold red", "error"),
}
WORK = {
    "process": Mark("─", "-", "bright_black", "handled"),
    "wait": Mark("┄", ":", "bright_black", "queue"),
    "invoke_agent": Mark("═", "=", "", "agent"),
    "asked": Mark("·", ".", "bright_black", "no token yet"),
    "chat": Mark("■", "#", "green", "tokens"),
    "execute_tool": Mark("▲", "&", "yellow", "tool"),
    "type": Mark("░", "~", "blue", "typing"),
    "send": Mark("▬", "_", "cyan", "sending"),
    "other": Mark("+", "+", "", "other"),
}
"""The lines of a trace, by the first word of the span's name; `asked` begins that of a model."""
MOMENTS = {
    "time_to_first_token": Mark("◇", "t", "magenta", "first token"),
    "time_to_first_text": Mark("◆", "T", "magenta", "first text"),
    "accepted": Mark("✓", "a", "bold green", "accepted"),
    "failed": Mark("✖", "X", "bold red", "not accepted"),
    "delivered": Mark("▼", "d", "bold green", "delivered"),
    "read": Mark("◉", "r", "bold blue", "read"),
}


class Look(NamedTuple):
    """What a terminal can show.

    Args:
        unicode: Whether it has more than ASCII.
        spinner: The frames of a sign that turns.
        more: Stands for text that has no room.
        levels: From few chunks in a cell to many, where color tells their kinds apart. Else none,
            and each kind has a sign.
    """

    unicode: bool
    spinner: str
    more: str
    levels: str

    @property
    def times(self) -> str:
        """Stands before how often something was done."""
        return "×" if self.unicode else "x"

    @property
    def status(self) -> str:
        """The name of the spinner beside a line that says what is done."""
        return "dots" if self.unicode else "line"

    def sign(self, mark: Mark) -> str:
        """The sign of a mark."""
        return mark.sign if self.unicode else mark.plain

    def chunks(self, mark: Mark, share: float) -> str:
        """The sign of chunks of a kind, `share` (0 to 1) of the most that a cell has."""
        if not self.levels:
            return self.sign(mark)
        return self.levels[max(math.ceil(share * len(self.levels)) - 1, 0)]

    def all_chunks(self, mark: Mark) -> str:
        """Stands for chunks of a kind, few or many."""
        return "".join(dict.fromkeys(self.chunks(mark, share) for share in (0.0, 0.5, 1.0)))

    def shown(self, text: str) -> str:
        """The text as far as the terminal can show it."""
        return text if self.unicode else text.encode("ascii", "replace").decode()

    @classmethod
    def of(cls, encoding: str, *, color: bool) -> Look:
        """Unicode where the terminal's encoding has it, else ASCII."""
        try:
            "●▁█…".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls(False, "|/-\\", "...", "")
        return cls(True, "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "…", "▂▃▄▅▆▇█" if color else "")


def counted(amount: int, noun: str) -> str:
    """So many of something: `1 chunk`, `2 chunks`."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
