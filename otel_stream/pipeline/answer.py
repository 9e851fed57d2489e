"""Asking a server of ours for JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from otel_stream.export.destination import without_credentials as shown

__all__ = ["Unreachable", "ask", "ask_json", "shown"]

_OPENER = build_opener(ProxyHandler({}))
"""Without the proxies of the environment: these servers are our own."""
_LONGEST = 200


class Unreachable(Exception):
    """A server does not answer, or not as it should; the message says which and why."""


def ask(
    url: str,
    parameters: Mapping[str, object] | None = None,
    *,
    post: bool = False,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> str:
    """The text that a server answers.

    Args:
        url: Where, http or https. A user and password in it are sent, and not told.
        parameters: For the query, or with `post` the form.
        post: Whether to change something.
        headers: More of the request's headers.
        timeout: Seconds for each step.

    Raises:
        Unreachable: There was no answer, or one with a status of 400 or more.
    """
    if not url.startswith(("http://", "https://")):
        raise Unreachable(f"{shown(url)!r} is no http:// or https:// address")
    said = urlencode({key: str(value) for key, value in (parameters or {}).items()})
    credentials, url = _credentials(url), shown(url)
    target = url if post or not said else f"{url}?{said}"
    all_headers = {**credentials, **(headers or {})}
    request = Request(target, said.encode() if post else None, all_headers)  # noqa: S310
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            text: str = answer.read().decode("utf-8", "replace")
            return text
    except HTTPError as error:
        body = " ".join(error.read(_LONGEST).decode("utf-8", "replace").split())
        raise Unreachable(f"{url} answers {error.code} {error.reason}: {body}") from error
    except (URLError, OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise Unreachable(f"{url} does not answer: {reason}") from error


def _credentials(url: str) -> dict[str, str]:
    """The header that a user and password in a URL stand for (RFC 7617)."""
    told = urlsplit(url).netloc.rpartition("@")[0]
    if not told:
        return {}
    user, _, password = told.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def ask_json(url: str, parameters: Mapping[str, object] | None = None, **how: Any) -> Any:
    """The same, decoded.

    Raises:
        Unreachable: There was no answer, or it was no JSON.
    """
    text = ask(url, parameters, **how)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreachable(f"{shown(url)} answers with something that is no JSON") from error
