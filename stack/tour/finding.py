"""What one back end has of what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from rich.text import Text

from stack.table import quoted

__all__ = ["Finding", "counted", "curl"]


class Finding(Protocol):
    """One back end, asked over its own API."""

    name: str

    def missing(self) -> str:
        """What has not arrived yet, in some words; empty once all is there.

        Raises:
            Unreachable: It does not answer.
        """

    def lines(self) -> Iterable[tuple[str, Text]]:
        """What it has, for a person: labels and texts. Called when all has arrived, or could have.

        Raises:
            Unreachable: It does not answer.
        """

    def asks(self) -> Iterable[str]:
        """The commands that ask it the same."""


def counted(outcomes: Mapping[str, int]) -> str:
    """How many streams ended how, most first."""
    ordered = sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {outcome}" for outcome, count in ordered)


def curl(url: str, **parameters: str) -> str:
    """The command that asks for a URL with parameters."""
    said = [f"--data-urlencode {quoted(f'{k}={v}')}" for k, v in parameters.items()]
    return " ".join(["curl -sG", url, *said])
