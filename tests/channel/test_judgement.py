"""What an exception means for the message: only what cannot have arrived may be sent again."""

from __future__ import annotations

import datetime
import email.utils
import socket
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from otel_stream.channel import ChannelError
from otel_stream.channel.judgement import judged, refusal, seconds_of

REQUEST = httpx.Request("POST", "http://localhost")


def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
    """What `raise_for_status` raises."""
    response = httpx.Response(status, headers=headers, request=REQUEST)
    return httpx.HTTPStatusError("no", request=REQUEST, response=response)


def said(error: Exception) -> tuple[bool, bool]:
    """Whether it may be sent again, and whether it may have arrived."""
    verdict = judged(error)
    return verdict.retry, verdict.unknown


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        requests.ConnectTimeout(),
        aiohttp.ClientConnectorError(None, OSError()),  # type: ignore[arg-type]
        ConnectionRefusedError(),
        socket.gaierror(),
        answered(429),
        answered(503),
    ],
    ids=repr,
)
def test_not_arrived(error: Exception) -> None:
    """No connection was made, or the server said "later"."""
    assert said(error) == (True, False)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.RemoteProtocolError("x"),
        requests.ConnectionError(),
        requests.ReadTimeout(),
        aiohttp.ServerDisconnectedError(),
        TimeoutError(),
        ConnectionResetError(),
        BrokenPipeError(),
        ValueError(),
        answered(500),
        answered(502),
        answered(504),
    ],
    ids=repr,
)
def test_nobody_knows(error: Exception) -> None:
    """The request may have been taken."""
    assert said(error) == (False, True)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 422])
def test_refused(status: int) -> None:
    """The server has said no, and would again."""
    assert said(answered(status)) == (False, False)
    assert judged(answered(status)).status == status


@pytest.mark.parametrize("error", [httpx.UnsupportedProtocol("x"), httpx.InvalidURL("x")])
def test_an_address_that_is_none(error: Exception) -> None:
    """Nothing has left, and nothing ever will."""
    assert said(error) == (False, False)


def test_a_channel_knows_best() -> None:
    """Its own error is taken as it is; what may have arrived is never sent again."""
    error = ChannelError("x", retry=True, unknown=True)

    assert judged(error) is error
    assert not error.retry


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        (None, None),
    ],
)
def test_retry_after(header: Any, expected: float | None) -> None:
    """The header is read where it can be."""
    assert seconds_of(header) == expected
    assert refusal(429, {"retry-after": header} if header else {}).after == expected


def test_retry_after_a_date() -> None:
    """It may be a date."""
    date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30)
    seconds = seconds_of(email.utils.format_datetime(date, usegmt=True))

    assert seconds is not None
    assert 28 <= seconds <= 30
