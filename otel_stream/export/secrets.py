"""Keeps the values of `OTEL_EXPORTER_OTLP_HEADERS` out of what is said: some of them are tokens.

Libraries put headers and URLs into the text of their errors.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Iterator
from urllib.parse import unquote

__all__ = ["hidden", "quiet"]

_SCHEMES = ("basic", "bearer", "digest", "token")
_SHORTEST = 4
_IN_URL = re.compile(r"(\w+://)[^/@\s'\"]+@|(/v1/(?:traces|metrics|logs))\?[^\s'\")]+")


def hidden(text: str) -> str:
    """The text without what nobody else may read."""
    for secret in sorted(set(_secrets()), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _IN_URL.sub(lambda found: found[1] or found[2], text)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Meanwhile the API does not log a list of headers that it cannot read: it would show them.

    The doctor names the variable.
    """
    reader = logging.getLogger("opentelemetry.util.re")
    thread = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    reader.addFilter(others)
    try:
        yield
    finally:
        reader.removeFilter(others)


def _secrets() -> Iterator[str]:
    for name, listed in os.environ.items():
        if not (name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith("HEADERS")):
            continue
        for item in listed.split(","):
            value = item.partition("=")[2] or item
            words = f"{value} {unquote(value)}".split()
            yield from (
                word for word in words if len(word) >= _SHORTEST and word.lower() not in _SCHEMES
            )
