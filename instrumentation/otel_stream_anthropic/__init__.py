"""Traces the official `anthropic` SDK: messages and beta messages."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec

from otel_stream import semconv
from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches

__all__ = ["AnthropicInstrumentor"]

_HELPERS = "anthropic.lib.streaming"


class AnthropicInstrumentor(StreamInstrumentor):
    """Wraps the HTTP core of `anthropic`, so that every client and every way to call is seen."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The oldest SDK that works."""
        return ("anthropic >= 0.40.0",)

    @property
    def native(self) -> str | None:
        """The SDK's own span, from 2.11 on."""
        from otel_stream_anthropic.native import has_native_span

        if not has_native_span():
            return None
        return "the SDK makes a span of each call itself; it steps aside where ours is made"

    def _wrap(self, patches: Patches) -> None:
        from otel_stream.managed import wrap_async_helper, wrap_helper
        from otel_stream.sdk import Sdk
        from otel_stream.stainless import wrap
        from otel_stream_anthropic.messages import Messages
        from otel_stream_anthropic.native import suppress_native_span

        endpoints = {"/v1/messages": Messages()}
        sdk = Sdk("anthropic", endpoints, "request-id", semconv.ANTHROPIC_REQUEST_ID)
        wrap(sdk, patches)
        wrap_helper(patches, f"{_HELPERS}._messages:MessageStream")
        wrap_async_helper(patches, f"{_HELPERS}._messages:AsyncMessageStream")
        if find_spec(f"{_HELPERS}._beta_messages"):
            wrap_helper(patches, f"{_HELPERS}._beta_messages:BetaMessageStream")
            wrap_async_helper(patches, f"{_HELPERS}._beta_messages:BetaAsyncMessageStream")
        suppress_native_span(patches)
