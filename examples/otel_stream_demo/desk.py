"""A service that answers WhatsApp messages with a team of agents, over a queue and a thread.

    webhook ─► queue.Queue ─► worker thread ─► its event loop ─► team, streamed ─► channel

What traces it: one block in the webhook, `carrying` on the queue, `carried` into the loop.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any, NamedTuple

import httpx
from opentelemetry import trace

import otel_stream
from otel_stream.channel import Delivery, EvolutionChannel, stream_to_channel
from otel_stream_demo.team import team

__all__ = ["Answered", "Desk"]

LOOKS = 0.2
"""The worker looks into the queue once in so many seconds: people write in several messages."""
SPACING = 0.3


class Answered(NamedTuple):
    """What became of a message: the trace that tells it, and the delivery, or what was raised."""

    trace_id: str
    delivery: Delivery | None
    error: Exception | None = None


class Desk:
    """The service. Use it in a `with` block.

    Args:
        models: The URL of the models.
        channel: URL, instance and key of the Evolution API server.
    """

    def __init__(self, models: str, channel: tuple[str, str, str]) -> None:
        self._models, self._channel = models, channel
        self._queue = otel_stream.carrying(queue.Queue[dict[str, Any]]())
        self._ready, self._closed = threading.Event(), threading.Event()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self.answered: queue.Queue[Answered] = queue.Queue()
        """What became of the messages, in their order."""

    def __enter__(self) -> Desk:
        self._worker.start()
        self._ready.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End once all is answered; after Ctrl-C at once."""
        self._closed.set()
        if kind is None:
            self._worker.join(5)

    def webhook(self, body: dict[str, Any]) -> None:
        """What the Evolution API server posts to: messages of people, and what became of ours."""
        with otel_stream.process_webhook(body):
            if body["event"] == "messages.upsert":
                self._queue.put(body["data"])

    def _work(self) -> None:
        with asyncio.Runner() as loop:
            client = httpx.AsyncClient()
            channel = EvolutionChannel(*self._channel)
            answers = team(self._models, client)
            self._ready.set()
            while not self._closed.wait(LOOKS):
                while not self._queue.empty():
                    answer = self._answer(self._queue.get(), answers, channel)
                    self.answered.put(loop.run(otel_stream.carried(answer)))
                    self._queue.task_done()
            loop.run(channel.aclose())
            loop.run(client.aclose())

    async def _answer(
        self, message: dict[str, Any], answers: Any, channel: EvolutionChannel
    ) -> Answered:
        person = message["key"]["remoteJid"]
        trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
        try:
            run = answers.arun(
                message["message"]["conversation"],
                stream=True,
                stream_events=True,
                session_id=person,
                user_id=person,
            )
            delivery = await stream_to_channel(run, channel, person, spacing=SPACING)
            return Answered(trace_id, delivery)
        except Exception as error:  # noqa: BLE001 - the worker has others to answer
            return Answered(trace_id, None, error)
