"""A way to go: which call, to which end, with what around it."""

from __future__ import annotations

from dataclasses import dataclass

from .call import Call
from .wires import Play

__all__ = ["Ending", "Way"]


@dataclass(frozen=True)
class Ending:
    """One way to end.

    Attributes:
        name: Names it in the test's id.
        outcome: What our span says of it.
        play: What the server does.
        read: What the reader does: a function of `endings` and of `async_endings`.
        kinds: What kinds of call can end so.
        raises: What the application may have to catch.
    """

    name: str
    outcome: str
    play: Play
    read: str
    kinds: frozenset[str]
    raises: tuple[type[BaseException], ...] = ()


@dataclass(frozen=True)
class Way:
    """A call, an end, and what stands around them."""

    call: Call
    ending: Ending
    asynchronous: bool
    native: bool = False

    @property
    def name(self) -> str:
        """Names it in the test's id."""
        mode = "async" if self.asynchronous else "sync"
        native = ["native"] if self.native else []
        return "-".join([self.call.name, mode, self.ending.name, *native])

    @property
    def kin(self) -> tuple[object, ...]:
        """The same for all ends of a call."""
        return (self.call.name, self.asynchronous, self.native)
