"""A channel and streams by script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

from otel_stream.channel import ChannelError


class FakeChannel:
    """Notes what it is asked, by the loop's clock, and does what the script says.

    Args:
        script: What happens to each request in turn: an exception is raised, a number is how long
            it takes (s), None accepts at once. When it is over all is accepted.
        takes: How long each request takes (s).
    """

    system = "whatsapp"

    def __init__(self, script: Iterable[Any] = (), takes: float = 0.0) -> None:
        self._script = iter(script)
        self._takes = takes
        self.accepted: list[str] = []
        self.log: list[tuple[float, str, Any]] = []

    def _note(self, what: str, value: Any) -> None:
        self.log.append((round(asyncio.get_running_loop().time(), 3), what, value))

    async def send(self, recipient: str, text: str) -> str | None:
        self._note("send", text)
        step = next(self._script, None)
        await asyncio.sleep(self._takes + (step if isinstance(step, (int, float)) else 0.0))
        if isinstance(step, BaseException):
            raise step
        self.accepted.append(text)
        return f"id-{len(self.accepted)}"

    async def typing(self, recipient: str, lasts: float) -> None:
        self._note("typing", lasts)

    def times(self, what: str = "send") -> list[float]:
        """When it was asked for that."""
        return [at for at, name, _ in self.log if name == what]


class FakeStream:
    """A stream of *items*, one each *every* seconds; an exception among them is raised."""

    def __init__(self, items: Iterable[Any], every: float = 0.0) -> None:
        self._items = iter(items)
        self._every = every
        self.read = 0
        self.closed = False

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        await asyncio.sleep(self._every)
        for item in self._items:
            if isinstance(item, BaseException):
                raise item
            self.read += 1
            return item
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


def later(after: float | None = None) -> ChannelError:
    """A refusal after which the message may be sent again."""
    return ChannelError("later", retry=True, after=after, code="busy")


def refused() -> ChannelError:
    """A refusal for good."""
    return ChannelError("no", code="no", status=400)


def unknown() -> ChannelError:
    """Nobody knows."""
    return ChannelError("?", unknown=True, code="reset")


async def stubborn(seconds: float) -> None:
    """Take so many seconds, however often this is cancelled."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(until - loop.time())
