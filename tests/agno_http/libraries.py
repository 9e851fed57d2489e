"""The HTTP libraries that programs ask agents with, each read as it is usually read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import requests

__all__ = ["LIBRARIES", "Ask"]

FORM = {"message": "Hi", "stream": "true", "session_id": "s-1", "user_id": "u-1"}
Ask = Callable[[str], tuple[float, bytes]]
"""Asks at a URL and reads all of the answer: when it asked, and the bytes."""


def with_httpx(url: str, kind: Any = httpx) -> tuple[float, bytes]:
    with kind.Client(trust_env=False, timeout=30, follow_redirects=True) as client:
        asked = time.perf_counter()
        with client.stream("POST", url, data=FORM) as response:
            return asked, b"".join(response.iter_bytes())


def with_httpx2(url: str) -> tuple[float, bytes]:
    return with_httpx(url, httpx2)


def with_httpx_async(url: str, kind: Any = httpx) -> tuple[float, bytes]:
    async def ask() -> tuple[float, bytes]:
        async with kind.AsyncClient(trust_env=False, timeout=30, follow_redirects=True) as client:
            asked = time.perf_counter()
            async with client.stream("POST", url, data=FORM) as response:
                return asked, b"".join([data async for data in response.aiter_bytes()])

    return asyncio.run(ask())


def with_httpx2_async(url: str) -> tuple[float, bytes]:
    return with_httpx_async(url, httpx2)


def with_requests(url: str) -> tuple[float, bytes]:
    with requests.Session() as session:
        session.trust_env = False
        asked = time.perf_counter()
        with session.post(url, data=FORM, stream=True, timeout=30) as response:
            return asked, b"".join(response.iter_content(chunk_size=None))


def with_aiohttp(url: str) -> tuple[float, bytes]:
    async def ask() -> tuple[float, bytes]:
        async with aiohttp.ClientSession() as session:
            asked = time.perf_counter()
            async with session.post(url, data=FORM) as response:
                return asked, b"".join([data async for data in response.content.iter_any()])

    return asyncio.run(ask())


LIBRARIES: dict[str, Ask] = {
    one.__name__.removeprefix("with_"): one
    for one in (
        with_httpx,
        with_httpx_async,
        with_httpx2,
        with_httpx2_async,
        with_requests,
        with_aiohttp,
    )
}
