"""Error events, as the SDK raises them and as they stand on the wire."""

from __future__ import annotations

from typing import Any

from otel_stream.delta import Failure
from otel_stream.fields import field_of

__all__ = ["failure_of", "failure_of_body"]


def failure_of(error: BaseException) -> Failure | None:
    """The error event behind an `APIError` raised in the middle of a stream.

    Its subclasses are not meant: they stand for the connection and for HTTP errors.
    """
    if type(error).__name__ != "APIError":
        return None
    return failure_of_body(getattr(error, "body", None), str(error)) or Failure(
        "_OTHER", str(error)
    )


def failure_of_body(body: Any, message: str = "") -> Failure | None:
    """The provider's code and message; None when `body` is no error."""
    if not body:
        return None
    if isinstance(body, str):
        return Failure("_OTHER", body)

    code = field_of(body, "code") or field_of(body, "type")
    known = code and isinstance(code, (str, int))  # some send the HTTP status
    return Failure(str(code) if known else "_OTHER", str(field_of(body, "message") or message))
