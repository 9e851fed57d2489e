"""What an exception out of a channel means for the message: refused, not sent at all, or unknown.

To send a message again is right only if it cannot have been accepted: when no connection was made,
or the server says "later" (429, 503). A time-out or a reset after the request has left says
nothing: the person may have the message already.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from otel_stream.channel.channel import ChannelError

__all__ = ["judged", "refusal", "seconds_of"]

_LATER = (429, 503)
# Classes by name, so that no HTTP library needs to be imported. All of them are raised before a
# request has left.
_NOT_SENT = {
    ("httpx", "ConnectError"),
    ("httpx", "ConnectTimeout"),
    ("httpx", "PoolTimeout"),
    ("httpx2", "ConnectError"),
    ("httpx2", "ConnectTimeout"),
    ("httpx2", "PoolTimeout"),
    ("httpcore", "ConnectError"),
    ("httpcore", "ConnectTimeout"),
    ("httpcore", "PoolTimeout"),
    ("aiohttp", "ClientConnectorError"),
    ("aiohttp", "ConnectionTimeoutError"),
    ("requests", "ConnectTimeout"),
}
_NEVER = {("httpx", "UnsupportedProtocol"), ("httpx", "InvalidURL")}
_NOT_CONNECTED = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)


def judged(error: Exception) -> ChannelError:
    """*error* as a `ChannelError`, which says whether the message may be sent again."""
    if isinstance(error, ChannelError):
        return error
    code = type(error).__name__
    classes = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    if classes & _NOT_SENT or isinstance(error, _NOT_CONNECTED):
        return ChannelError("no connection", retry=True, code=code)
    if classes & _NEVER:
        return ChannelError("no request could be made", code=code)
    status, headers = _response(error)
    if status is not None:
        return refusal(status, headers, code=code)
    return ChannelError("nobody knows whether it was accepted", unknown=True, code=code)


def refusal(status: int, headers: Mapping[str, str] | None = None, code: str = "") -> ChannelError:
    """What an HTTP status that is no success means."""
    unknown = status >= 500 and status not in _LATER
    return ChannelError(
        f"the channel answered {status}",
        retry=status in _LATER,
        unknown=unknown,
        after=seconds_of((headers or {}).get("retry-after")),
        code=code or str(status),
        status=status,
    )


def seconds_of(retry_after: str | None) -> float | None:
    """The header `Retry-After` in seconds: a number, or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None


def _response(error: Exception) -> tuple[int | None, Mapping[str, str] | None]:
    """Status and headers of the response that *error* was raised for, if there was one."""
    for name in ("response", "raw_response"):
        response: Any = getattr(error, name, None)
        for field in ("status_code", "status"):
            status = getattr(response, field, None)
            if isinstance(status, int):
                return status, getattr(response, "headers", None)
    status = getattr(error, "status", None)  # aiohttp
    return (status, getattr(error, "headers", None)) if isinstance(status, int) else (None, None)
