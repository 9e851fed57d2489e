"""A service that answers WhatsApp messages from an agent: blocking where such services block.

    webhook ─► queue.Queue ─► worker thread ─► private event loop ─► streamed run over HTTP
                                                       └─► blocking sends, on that loop

Nothing of otel-stream stands in here but what `Tracing` hands in: one block in the webhook, and a
queue that takes the context along.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx
import requests

__all__ = ["AgentClient", "Chat", "Service", "Tracing"]

SPACING = 0.05
JSON = json.JSONDecoder()


@dataclass
class Tracing:
    """The two places where the service names otel-stream; by default it does not."""

    webhook: Callable[[Any], AbstractContextManager[Any]] = nullcontext
    queue: Callable[[queue.Queue[Any]], queue.Queue[Any]] = field(default=lambda made: made)


class AgentClient:
    """Runs agents over HTTP, as a stream of events.

    Args:
        url: The server.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def create_streaming_run(
        self, endpoint: str, payload: dict[str, str]
    ) -> AsyncIterator[dict[str, Any]]:
        """The events of one run."""
        async with (
            httpx.AsyncClient(timeout=10) as client,
            client.stream("POST", f"{self._url}{endpoint}", data=payload) as response,
        ):
            async for event in self.stream_events(response):
                yield event

    async def stream_events(self, response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        """A simple parser: it takes an event for whole only when the next one has begun."""
        text = ""
        async for piece in response.aiter_text():
            text += piece
            while True:
                text = text.lstrip()
                try:
                    event, end = JSON.raw_decode(text)
                except ValueError:
                    break
                if not text[end:].strip():
                    break
                text = text[end:]
                yield event
        if text.strip():
            yield JSON.raw_decode(text)[0]


class Chat:
    """The way to the person: Evolution API by hand, with `requests`, blocking.

    Args:
        url, instance, key: Of the Evolution server.
    """

    def __init__(self, url: str, instance: str, key: str) -> None:
        self._url, self._instance = url, instance
        self._headers = {"apikey": key}

    async def send_message_with_delay(self, recipient: str, text: str) -> bool:
        """Wait a little, then send: it says `async` and blocks its loop all the same."""
        time.sleep(SPACING)
        reply = self._post("message/sendText", {"number": recipient, "text": text})
        return reply.status_code == 201

    def presence(self, recipient: str, shown: str) -> None:
        """Show that somebody types, or no longer does."""
        self._post("chat/sendPresence", {"number": recipient, "presence": shown, "delay": 15_000})

    def _post(self, path: str, body: dict[str, Any]) -> requests.Response:
        url = f"{self._url}/{path}/{self._instance}"
        return requests.post(url, headers=self._headers, json=body, timeout=10)


class Service:
    """Takes webhooks, and answers on threads of its own. Use it in a `with` block.

    Args:
        agent, chat: Where the answer comes from, and where it goes.
        tracing: How the service is traced; not at all by default.
    """

    def __init__(self, agent: AgentClient, chat: Chat, tracing: Tracing | None = None) -> None:
        self._agent, self._chat = agent, chat
        self._tracing = tracing or Tracing()
        self._queue = self._tracing.queue(queue.Queue())
        self._loop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=self._loop.run_forever, daemon=True),
            threading.Thread(target=self._work, daemon=True),
        ]
        self.answered: queue.Queue[bool] = queue.Queue()

    def __enter__(self) -> Service:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._threads[1].join(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads[0].join(10)
        self._loop.close()

    def webhook(self, body: dict[str, Any]) -> dict[str, bool]:
        """What the channel calls: it is told at once that all is well."""
        with self._tracing.webhook(body):
            if body["event"] == "messages.upsert":
                self._queue.put(body["data"])
        return {"success": True}

    def _work(self) -> None:
        while (message := self._queue.get()) is not None:
            done = asyncio.run_coroutine_threadsafe(self._answer(message), self._loop)
            self.answered.put(done.result(30))
            message = None

    async def _answer(self, message: dict[str, Any]) -> bool:
        """Send the answer in paragraphs. The loop is left at the run's end, and never closed."""
        recipient = message["key"]["remoteJid"].partition("@")[0]
        asked = {"message": message["message"]["conversation"], "stream": "true"}
        self._chat.presence(recipient, "composing")
        waiting = ""
        whole = False
        async for event in self._agent.create_streaming_run("/playground/agents/genie/runs", asked):
            if event["event"] == "RunResponseContent":
                *ready, waiting = (waiting + event["content"]).split("\n\n")
                for paragraph in ready:
                    await self._chat.send_message_with_delay(recipient, paragraph)
            elif event["event"] in ("RunCompleted", "RunError"):
                whole = event["event"] == "RunCompleted"
                break
        if waiting:
            await self._chat.send_message_with_delay(recipient, waiting)
        self._chat.presence(recipient, "paused")
        return whole
