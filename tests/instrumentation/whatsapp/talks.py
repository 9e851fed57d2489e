"""Calls of pywa, sync and async alike."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pywa
import pywa_async

from otel_stream.testing import CloudServer

__all__ = ["FLAVOURS", "Talk", "wamid", "webhook"]

FLAVOURS = ["sync", "async"]


class Talk:
    """A client of pywa for the fake Cloud API, whose methods are called by name.

    Args:
        flavour: One of `FLAVOURS`.
        cloud: The server.
    """

    def __init__(self, flavour: str, cloud: CloudServer, **options: Any) -> None:
        self._flavour = flavour
        self._cloud = cloud
        self._options = {"timeout": 5.0, "trust_env": False, **options}

    def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call `WhatsApp.method`."""
        return self.run(lambda client: getattr(client, method)(*args, **kwargs))

    def run(self, work: Callable[[Any], Any]) -> Any:
        """Do `work` with a client; what it returns is awaited where that is to be."""
        if self._flavour == "async":
            return asyncio.run(self._run(work))
        with httpx.Client(**self._options) as session:
            client = pywa.WhatsApp(self._cloud.phone_id, self._cloud.token, session=session)
            session.base_url = httpx.URL(self._cloud.graph_url)
            return work(client)

    async def _run(self, work: Callable[[Any], Any]) -> Any:
        async with httpx.AsyncClient(**self._options) as session:
            client = pywa_async.WhatsApp(self._cloud.phone_id, self._cloud.token, session=session)
            session.base_url = httpx.URL(self._cloud.graph_url)
            return await work(client)


def wamid(number: str) -> str:
    """A message's id as the Cloud API makes them: the person's number is in it."""
    said = b"\x1c\x18" + bytes([len(number)]) + number.encode() + b"\x15\x02\x00\x12\x18\x163EB0C7"
    return "wamid." + b64encode(said).decode().rstrip("=")


def webhook(number: str) -> dict[str, Any]:
    """The webhook of a person's message, with an id that holds no number."""
    message = {"from": number, "id": f"wamid.{number}", "type": "text", "text": {"body": "Hello?"}}
    value = {"messages": [message], "metadata": {"phone_number_id": "1"}}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
