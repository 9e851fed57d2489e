"""Shows a person that somebody types, while an answer is made and nothing is being sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from opentelemetry import context as otel_context

from otel_stream import runtime
from otel_stream.channel.channel import Channel
from otel_stream.channel.ending import ended

__all__ = ["Presence"]

logger = logging.getLogger("otel_stream")

_LASTS = 10.0
"""How long one call shows it (s), where the channel has no `typing_lasts`."""
_AGAIN = 0.8
"""When it is shown again, as a share of that: before it runs out."""
_SETTLE = 0.5
"""How long after a message it is shown again (s); messages in a row need no typing between them."""
_STOPPING = 2.0
"""How long the channel may take to show it no more (s)."""
_FAILURES = 3
"""After so many in a row nobody asks the channel again."""


class Presence:
    """Typing, for one person. Whatever the channel does or raises here, delivery goes on.

    Args:
        channel: Shows it.
        recipient: To whom.
        noted: Told how long it is shown from now on; 0 when it is stopped.
    """

    def __init__(self, channel: Channel, recipient: str, noted: Callable[[float], None]) -> None:
        self._channel = channel
        self._recipient = recipient
        self._noted = noted
        self._task: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._lasts: float = getattr(channel, "typing_lasts", _LASTS)
        self._failures = 0
        self._shown = False

    def show(self, after: float = 0.0) -> None:
        """Show it from now on, or *after* so many seconds."""
        if self._task is None and self._lasts and self._failures < _FAILURES:
            self._task = asyncio.create_task(self._keep(after), name="otel-stream-typing")

    def show_again(self) -> None:
        """A message was sent, and another one may follow at once."""
        self.show(_SETTLE)

    def hide(self) -> None:
        """A message is being sent: with it the channel stops showing it by itself."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def stop(self) -> None:
        """Nothing more is coming. Nothing is shown from now on, also if this is cancelled."""
        self.hide()
        for call in self._calls:
            call.cancel()
        try:
            over = await ended(self._calls, _STOPPING)
            if over and self._shown and self._failures < _FAILURES:
                last = asyncio.create_task(self._call(0.0), name="otel-stream-typing-call")
                await ended({last}, _STOPPING)
        finally:
            if self._shown:
                self._noted(0.0)

    async def _keep(self, after: float) -> None:
        if after:
            await asyncio.sleep(after)
        while self._failures < _FAILURES:
            for earlier in self._calls:  # Some servers answer only when it has run out.
                earlier.cancel()
            self._noted(self._lasts)
            call = asyncio.create_task(self._call(self._lasts), name="otel-stream-typing-call")
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
            self._shown = True
            await asyncio.sleep(self._lasts * _AGAIN)

    async def _call(self, lasts: float) -> None:
        # Typing has its own span: requests for it need none.
        token = otel_context.attach(otel_context.set_value(runtime.SUPPRESS, True))
        try:
            await self._channel.typing(self._recipient, lasts)
            self._failures = 0
        except Exception as error:  # noqa: BLE001 - the channel's, and a courtesy only
            self._failures += 1
            if lasts:
                self._noted(0.0)
            logger.debug("typing is not shown: %s", type(error).__name__)
        finally:
            otel_context.detach(token)
