"""Signs and colours, of the live display and of the pictures."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KIND_STYLE", "OUTCOMES", "Look", "Outcome"]

KIND_STYLE = {"text": "green", "reasoning": "magenta", "tool_call": "yellow", "refusal": "red"}
"""By what a chunk brings; other chunks bring nothing that a person could read."""


class Outcome(NamedTuple):
    """How an outcome looks, in Unicode and in ASCII."""

    sign: str
    plain: str
    style: str


OUTCOMES = {
    "completed": Outcome("●", "@", "green"),
    "closed_early": Outcome("◐", "<", "yellow"),
    "cancelled": Outcome("◌", "c", "yellow"),
    "abandoned": Outcome("○", "?", "yellow"),
    "truncated": Outcome("✂", "%", "bold red"),
    "error": Outcome("✖", "X", "bold red"),
}


class Look(NamedTuple):
    """The signs of a timeline and of the live display.

    Args:
        unicode: Whether the terminal has more than ASCII.
        asked, headers, wait, stall, reader: What is waited for, or with.
        levels: From few chunks in a cell to many.
        spinner: The frames of a sign that turns.
        more: Stands for text that has no room.
    """

    unicode: bool
    asked: str
    headers: str
    wait: str
    stall: str
    reader: str
    levels: str
    spinner: str
    more: str

    def end(self, outcome: str) -> str:
        """The sign of an outcome."""
        return OUTCOMES[outcome].sign if self.unicode else OUTCOMES[outcome].plain

    def shown(self, text: str) -> str:
        """The text as far as the terminal can show it."""
        return text if self.unicode else text.encode("ascii", "replace").decode()

    @classmethod
    def of(cls, encoding: str) -> Look:
        """Unicode where the terminal's encoding has it, else ASCII."""
        try:
            "●▁█…".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls(False, ".", ":", "-", "!", "~", "1234567", "|/-\\", "...")
        return cls(True, "·", "┄", "─", "▒", "░", "▂▃▄▅▆▇█", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "…")
