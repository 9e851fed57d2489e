"""The HTTP session of the OTLP exporters: it sees each answer, which the exporters do not hand on.

Imported only when such an exporter is made. The exporters take a session as a documented argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from logging import LogRecord
from typing import Any

import requests

from otel_stream.export.verdict import Verdict, of_answer, of_error

__all__ = ["Session"]


class NotTaken(requests.RequestException):
    """The receiver has not taken it. No exporter tries that again, unlike a `ConnectionError`."""


class Session(requests.Session):
    """A session that judges the answer to the latest request.

    Args:
        keeps: Whoever exports keeps what cannot go now. Else the exporter tries again for some
            seconds, as it does with a session of its own.
    """

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self._keeps = keeps
        self._verdict: Verdict | None = None

    def judge(self, heard: Sequence[LogRecord]) -> Verdict | None:
        """What the latest answer means. None when there was none."""
        verdict, self._verdict = self._verdict, None
        return verdict

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request. No redirection is followed: it would carry the headers elsewhere."""
        self._verdict = None
        options["allow_redirects"] = False
        # Else the variables of `requests` for all that a program fetches win over the exporter's.
        options.setdefault("verify", None if self.verify is True else self.verify)
        try:
            answer = super().request(*args, **options)
        except requests.RequestException as error:
            if isinstance(error, ValueError):  # the request itself: its URL, its headers
                raise
            request = error.request
            self._verdict = of_error(error, tls=str(request and request.url).startswith("https:"))
            if self._keeps:
                raise NotTaken(self._verdict.cause) from error
            raise
        self._verdict = of_answer(
            answer.status_code,
            answer.reason or "",
            _said(answer),
            answer.headers.get("retry-after"),
        )
        # Exporters differ: 1.45 takes a redirection for a success, 1.44 tries a 500 again.
        if self._verdict.then in ("smaller", "never") or (
            self._keeps and self._verdict.then == "later"
        ):
            raise NotTaken(self._verdict.cause)
        return answer


def _said(answer: requests.Response) -> str:
    """What an answer says of a failure: text, or the message of a `google.rpc.Status`."""
    if answer.ok or not answer.content:
        return ""
    kind = answer.headers.get("content-type", "")
    if "html" in kind:
        return ""
    if "protobuf" not in kind:
        return answer.content[:1_000].decode("utf-8", "replace")
    decode_error: type[Exception] = import_module("google.protobuf.message").DecodeError
    status: Any = import_module("google.rpc.status_pb2").Status
    try:
        return str(status.FromString(answer.content).message)
    except decode_error:
        return ""
