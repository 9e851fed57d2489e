"""Traces messages and typing that `pywa` sends over the WhatsApp Cloud API."""

from __future__ import annotations

from collections.abc import Collection

from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches

__all__ = ["PywaInstrumentor"]

_APIS = ("pywa.api:GraphAPI", "pywa_async.api:GraphAPIAsync")


class PywaInstrumentor(StreamInstrumentor):
    """Wraps the one class under each client that all ways to send go through, sync and async."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The oldest version that works."""
        return ("pywa >= 3.0.0",)

    def _wrap(self, patches: Patches) -> None:
        from otel_stream_pywa.sending import send, send_async
        from otel_stream_pywa.typing import show, show_async

        for api, sending, showing in zip(
            _APIS, (send, send_async), (show, show_async), strict=True
        ):
            patches.wrap(f"{api}.send_message", sending)
            patches.wrap(f"{api}.send_marketing_message", sending)
            patches.wrap(f"{api}.set_indicator", showing)
