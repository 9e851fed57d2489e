"""Traces the official `openai` SDK: chat completions, Responses and legacy completions."""

from __future__ import annotations

from collections.abc import Collection

from otel_stream import semconv
from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches

__all__ = ["OpenAIInstrumentor"]

_HELPERS = "openai.lib.streaming"


class OpenAIInstrumentor(StreamInstrumentor):
    """Wraps the HTTP core of `openai`, so that every client and every way to call is seen."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The oldest SDK that has the Responses API."""
        return ("openai >= 1.66.0",)

    def _wrap(self, patches: Patches) -> None:
        from otel_stream.managed import wrap_async_helper, wrap_helper
        from otel_stream.sdk import Endpoint, Sdk
        from otel_stream.stainless import wrap
        from otel_stream_openai.chat import ChatCompletions
        from otel_stream_openai.completions import Completions
        from otel_stream_openai.responses import Responses

        endpoints: dict[str, Endpoint] = {
            "/chat/completions": ChatCompletions(),
            "/completions": Completions(),
            "/responses": Responses(),
        }
        sdk = Sdk("openai", endpoints, "x-request-id", semconv.OPENAI_REQUEST_ID)
        wrap(sdk, patches)
        chat, responses = f"{_HELPERS}.chat._completions", f"{_HELPERS}.responses._responses"
        wrap_helper(patches, f"{chat}:ChatCompletionStream")
        wrap_async_helper(patches, f"{chat}:AsyncChatCompletionStream")
        wrap_helper(patches, f"{responses}:ResponseStream")
        wrap_async_helper(patches, f"{responses}:AsyncResponseStream")
