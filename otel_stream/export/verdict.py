"""What a receiver's answer means for the batch that it was given.

The OTLP specification says which answers are worth another try (docs/specification.md, "OTLP/HTTP
Response" and "OTLP/gRPC Response"); a batch that is too large is sent again in halves. The
exporters of the SDK give up after some seconds, so what they would try again is for us to keep.
Nothing is sent or waited for here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from logging import LogRecord
from typing import Any, Literal, NamedTuple

__all__ = ["SENT", "Verdict", "of_answer", "of_error", "of_records"]

_LATER = (429, 502, 503, 504)
_LATER_CODES = (
    "ABORTED", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
)  # fmt: skip
_TOO_LARGE = ("too large", "larger than", "exceeds maximum")
_LONGEST_BODY = 300
_HEADERS = " (OTEL_EXPORTER_OTLP_HEADERS is what it asks for)"
_AUTHORITY = " (OTEL_EXPORTER_OTLP_CERTIFICATE names the certificate of its authority)"
_NO_TLS = " (the endpoint says https, and it may not speak TLS)"
_TLS = " (if it speaks TLS, the endpoint must say https)"
_HINTS = (
    ("certificate verify failed", _AUTHORITY),
    ("certificate_verify_failed", _AUTHORITY),
    ("wrong version number", _NO_TLS),
    ("wrong_version_number", _NO_TLS),
    ("record layer failure", _NO_TLS),
    ("http request to an https server", _TLS),
    ("socket closed", _TLS),
)


class Verdict(NamedTuple):
    """What is to become of a batch."""

    then: Literal["sent", "later", "smaller", "never"]
    """It has gone; it may go later; it may go in smaller parts; it will never go."""
    cause: str = ""
    """Why it has not gone, in words."""
    after: float = 0.0
    """Seconds that the receiver asks to be left alone."""


SENT = Verdict("sent")


def of_answer(status: int, reason: str, body: str, retry_after: str | None) -> Verdict:
    """The verdict on an HTTP answer. `body`: what it says, as text."""
    if status < 300:
        return SENT
    cause = f"{status} {reason}"
    if said := " ".join(body.split())[:_LONGEST_BODY]:
        cause += f": {said}"
    if status < 400:
        return Verdict("never", f"{cause} (redirections are not followed)")
    if status == 413 or (status == 400 and _is_size(body)):
        return Verdict("smaller", cause)
    if status in _LATER:
        return Verdict("later", cause, _seconds(retry_after))
    return Verdict("never", cause + (_HEADERS if status in (401, 403) else _hint(cause)))


def of_error(error: BaseException, *, tls: bool) -> Verdict:
    """The verdict on a connection that failed, or on an answer that did not come whole.

    Args:
        error: What the library raised.
        tls: Whether TLS was spoken.
    """
    deepest = list(_chain(error))[-1]
    cause = f"{type(deepest).__name__}: {deepest}"
    broken = isinstance(deepest, ConnectionResetError | BrokenPipeError) and not tls
    return Verdict("later", cause + (_TLS if broken else _hint(cause)))


def of_records(records: Sequence[LogRecord]) -> Verdict | None:
    """The verdict by what an exporter has logged of an export that failed. None: it does not say.

    That of gRPC logs the status code and the details as they are.
    """
    for record in reversed(records):
        arguments: tuple[Any, ...] = record.args if isinstance(record.args, tuple) else ()
        for place, argument in enumerate(arguments):
            if type(argument).__name__ == "StatusCode":
                return _of_code(argument.name, " ".join(map(str, arguments[place + 1 :])))
    words = [record.getMessage() for record in records]
    if words and (words[0].startswith("Transient error") or "max retries" in words[-1]):
        return Verdict("later", words[0])
    return None


def _of_code(code: str, details: str) -> Verdict:
    cause = f"{code}: {details}"
    if code == "RESOURCE_EXHAUSTED" and _is_size(details):
        return Verdict("smaller", cause)
    if code in _LATER_CODES:
        return Verdict("later", cause + _hint(cause))
    denied = code in ("UNAUTHENTICATED", "PERMISSION_DENIED")
    return Verdict("never", cause + (_HEADERS if denied else ""))


def _seconds(retry_after: str | None) -> float:
    """What the header `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3)."""
    text = (retry_after or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those beneath it. Those of urllib3 have the cause as `reason` too."""
    seen: set[int] = set()
    inner: Any = error
    while isinstance(inner, BaseException) and id(inner) not in seen:
        seen.add(id(inner))
        yield inner
        inner = inner.__cause__ or getattr(inner, "reason", None) or inner.__context__


def _is_size(said: str) -> bool:
    return any(words in said.lower() for words in _TOO_LARGE)


def _hint(cause: str) -> str:
    lower = cause.lower()
    return next((hint for words, hint in _HINTS if words in lower), "")
