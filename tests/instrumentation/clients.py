"""Clients of the SDKs for a scripted server, each with a connection pool of its own."""

from __future__ import annotations

from typing import Any

import anthropic
import openai

from otel_stream.testing import ProviderServer
from tests.sdk_http import http

__all__ = ["HAS_NATIVE", "client_of", "http"]

HAS_NATIVE = hasattr(anthropic._base_client, "start_api_call_span")
"""Whether anthropic makes a span of its own."""


def client_of(
    sdk: str,
    server: ProviderServer,
    *,
    asynchronous: bool = False,
    native: Any = None,
    **options: Any,
) -> Any:
    """A client of `openai` or `anthropic` that sends to *server*.

    Args:
        sdk: Which of them.
        server: The scripted server.
        asynchronous: Whether it is an async one.
        native: The tracer provider of the SDK's own spans; without one it makes none.
        options: Further or other arguments.
    """
    # Without certificates to load, which would take 20 ms.
    pool = (http.AsyncClient if asynchronous else http.Client)(verify=False)
    prefix = "Async" if asynchronous else ""
    options = {"http_client": pool, "api_key": "test", "max_retries": 0} | options
    if sdk == "openai":
        options.setdefault("base_url", server.openai_url)
        return getattr(openai, f"{prefix}OpenAI")(**options)
    if HAS_NATIVE:
        options.setdefault("open_telemetry", {"tracer_provider": native} if native else False)
    options.setdefault("base_url", server.anthropic_url)
    return getattr(anthropic, f"{prefix}Anthropic")(**options)
