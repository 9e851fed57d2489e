"""A test kit for programs that stream answers of language models, and for otel-stream itself.

Providers on loopback that answer by script (`ProviderServer`, `Script`), their streams
(`chat_text`, `response_text`, `message_text`, … and the builders behind them), messaging servers
(`EvolutionServer`, `CloudServer`), the telemetry of one test (`Captured`), a clock and ids that a
test controls. `plugin` has fixtures for pytest.

Names are imported when first used; only `Captured` and `CountingIds` need OpenTelemetry's SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_stream.testing.anthropic_messages import (
        MessageStream,
        anthropic_error,
        citation,
        message,
        message_text,
        message_thinking,
        message_tools,
        message_usage,
    )
    from otel_stream.testing.captured import Captured
    from otel_stream.testing.clock import ScriptedClock
    from otel_stream.testing.cloud import CloudServer
    from otel_stream.testing.evolution import EvolutionServer
    from otel_stream.testing.ids import CountingIds
    from otel_stream.testing.messaging import AcceptedMessage, Presence
    from otel_stream.testing.openai_chat import (
        ChatStream,
        chat_choices,
        chat_completion,
        chat_reasoning,
        chat_refusal,
        chat_text,
        chat_tools,
        chat_usage,
        openai_error,
    )
    from otel_stream.testing.openai_completions import (
        CompletionStream,
        completion,
        completion_text,
    )
    from otel_stream.testing.openai_responses import (
        ResponseStream,
        message_item,
        response,
        response_text,
        response_tools,
        response_usage,
    )
    from otel_stream.testing.point import Point
    from otel_stream.testing.request import Request
    from otel_stream.testing.script import (
        Cut,
        End,
        Hang,
        HoldHeaders,
        Reset,
        Script,
        Send,
        Signal,
        Wait,
        WaitFor,
    )
    from otel_stream.testing.server import ProviderServer
    from otel_stream.testing.sse import Events, crlf, pieces
    from otel_stream.testing.tool_call import MISSING, ToolCall

__all__ = [
    "MISSING",
    "AcceptedMessage",
    "Captured",
    "ChatStream",
    "CloudServer",
    "CompletionStream",
    "CountingIds",
    "Cut",
    "End",
    "Events",
    "EvolutionServer",
    "Hang",
    "HoldHeaders",
    "MessageStream",
    "Point",
    "Presence",
    "ProviderServer",
    "Request",
    "Reset",
    "ResponseStream",
    "Script",
    "ScriptedClock",
    "Send",
    "Signal",
    "ToolCall",
    "Wait",
    "WaitFor",
    "anthropic_error",
    "chat_choices",
    "chat_completion",
    "chat_reasoning",
    "chat_refusal",
    "chat_text",
    "chat_tools",
    "chat_usage",
    "citation",
    "completion",
    "completion_text",
    "crlf",
    "message",
    "message_item",
    "message_text",
    "message_thinking",
    "message_tools",
    "message_usage",
    "openai_error",
    "pieces",
    "response",
    "response_text",
    "response_tools",
    "response_usage",
]

# The rooms in which a name is looked for: those that cost something to import stand last.
_ROOMS = (
    "clock",
    "script",
    "sse",
    "tool_call",
    "openai_chat",
    "openai_completions",
    "openai_responses",
    "anthropic_messages",
    "request",
    "server",
    "messaging",
    "evolution",
    "cloud",
    "ids",
    "point",
    "captured",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in module.__all__:
                found = globals()[name] = getattr(module, name)
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
