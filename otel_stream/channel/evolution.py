"""WhatsApp through an Evolution API server.

https://doc.evolution-api.com/v2/api-reference/message-controller/send-text
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from otel_stream.channel.channel import ChannelError
from otel_stream.channel.judgement import refusal
from otel_stream.errors import MissingExtraError

if TYPE_CHECKING:
    import httpx

__all__ = ["EvolutionChannel"]

_TIMEOUT = 30.0
_CONNECT_TIMEOUT = 10.0
_PAUSED = 1
_PEOPLE = ("", "s.whatsapp.net", "c.us")
_SIGNS = re.compile(r"[\s+().\-\u2010-\u2015]")
"""What people write into a phone number."""
_LONGEST_NUMBER = 15
"""E.164. An old group's id is two numbers with a hyphen, and longer."""
_PRESENCES = 100
"""Some servers answer only when what they show has run out, so that these requests last."""


class EvolutionChannel:
    """A channel through one instance of an Evolution API server.

    Args:
        url: The server's address, such as `https://evolution.example.com`.
        instance: The instance's name.
        api_key: Its key. It is sent to the server, and told to nobody else.
        client: The HTTP client to use; by default some of its own, with time-outs. A client that is
            given is not closed.
        options: Added to each text, such as `quoted` or `linkPreview`.
        at_once: How many messages are being sent at once; others wait for their turn here, where
            it costs less than in the client's own pool.

    Raises:
        MissingExtraError: `httpx` is not installed.
    """

    system = "whatsapp"

    def __init__(
        self,
        url: str,
        instance: str,
        api_key: str,
        *,
        client: httpx.AsyncClient | None = None,
        options: Mapping[str, Any] | None = None,
        at_once: int = 20,
    ) -> None:
        address = urlsplit(url)
        self._url = url.rstrip("/")
        self._path = quote(instance, safe="")
        self._headers = {"apikey": api_key}
        self._options = dict(options or {})
        self._given = client is not None
        self._client = client if client is not None else _client(at_once)
        # Typing may hold many connections for long; messages do not look for theirs among them.
        self._typing_client = client if client is not None else _client(_PRESENCES)
        self._sends = asyncio.Semaphore(at_once)
        self._presences = asyncio.Semaphore(_PRESENCES)
        self.instance = instance
        self.server_address = address.hostname
        self.server_port = address.port or {"http": 80, "https": 443}.get(address.scheme)

    def __repr__(self) -> str:
        return f"EvolutionChannel({self._url!r}, {self.instance!r})"

    async def send(self, recipient: str, text: str) -> str | None:
        """Send a text. Returns its id.

        Raises:
            ChannelError: It was not accepted, or nobody knows.
            httpx.TransportError: There was no reply.
        """
        body = {"number": _addressed(recipient), "text": text, **self._options}
        async with self._sends:
            response = await self._post(self._client, "message/sendText", body)
        key = _key(response)
        if key:  # Some versions answer 400 for a quoted message that they have sent.
            return key
        if not response.is_success:
            raise refusal(response.status_code, response.headers)
        if response.content:  # Somebody else has replied: a proxy's page, another kind of server.
            raise ChannelError("the reply has no key", unknown=True, code="no_key")
        return None

    async def typing(self, recipient: str, lasts: float) -> None:
        """Show that somebody types. The server may answer only when that has run out.

        Raises:
            ChannelError: It was refused, or too many people are being shown typing.
        """
        if self._presences.locked():
            raise ChannelError("too many people are being shown typing")
        shown = {"presence": "composing", "delay": round(lasts * 1000)}
        if not lasts:
            shown = {"presence": "paused", "delay": _PAUSED}
        body = {"number": _addressed(recipient), **shown}
        async with self._presences:
            response = await self._post(self._typing_client, "chat/sendPresence", body)
        if not response.is_success:
            raise ChannelError("typing was refused", status=response.status_code)

    async def aclose(self) -> None:
        """Close the clients that are the channel's own."""
        if not self._given:
            await self._client.aclose()
            await self._typing_client.aclose()

    async def __aenter__(self) -> EvolutionChannel:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def _post(
        self, client: httpx.AsyncClient, action: str, body: dict[str, Any]
    ) -> httpx.Response:
        url = f"{self._url}/{action}/{self._path}"
        return await client.post(url, json=body, headers=self._headers)


def _addressed(recipient: str) -> str:
    """What the server takes as `number`: a person's JID or number as digits.

    Whatever else has a server of its own (`@g.us`, `@lid`, `@newsletter`, `@broadcast`) keeps it:
    its digits alone would be somebody's phone number.
    """
    user, _, server = recipient.strip().partition("@")
    if server not in _PEOPLE:
        return recipient
    user = user.partition(":")[0]  # without the device
    digits = _SIGNS.sub("", user)
    return digits if digits.isdecimal() and len(digits) <= _LONGEST_NUMBER else user


def _key(response: httpx.Response) -> str | None:
    """The id of the message, which only a message that was taken has."""
    try:
        body = response.json()
    except ValueError:
        return None
    key = body.get("key") if isinstance(body, dict) else None
    found = key.get("id") if isinstance(key, dict) else None
    return found if isinstance(found, str) and found else None


def _client(connections: int) -> httpx.AsyncClient:
    try:
        import httpx
    except ImportError:
        raise MissingExtraError(
            "EvolutionChannel needs: pip install 'otel-stream[channel]'"
        ) from None
    return httpx.AsyncClient(
        timeout=httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )
