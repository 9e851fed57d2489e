"""The base of our instrumentors: OpenTelemetry's, with the checks that its loader leaves out."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from otel_stream import runtime
from otel_stream.patches import Patches

__all__ = ["StreamInstrumentor"]


class StreamInstrumentor(BaseInstrumentor):
    """Wraps one library. One a process, as OpenTelemetry wants it.

    `opentelemetry-instrument` calls `instrument(skip_dep_check=True)`, because a distribution of many
    instrumentors cannot declare its libraries one by one; so the check stands in `_instrument`, which
    raises `DependencyConflictError`: the loader skips us quietly when the library is absent and says
    so when it is too old.
    """

    _patches: Patches | None = None

    @property
    def patches(self) -> Patches:
        """What is wrapped now."""
        if self._patches is None:
            self._patches = Patches()
        return self._patches

    @abstractmethod
    def _wrap(self, patches: Patches) -> None:
        """Import the library and wrap it."""

    def _instrument(self, **kwargs: Any) -> None:
        conflict = self._check_dependency_conflicts()
        if conflict is not None:
            raise DependencyConflictError(conflict)
        runtime.ensure(**kwargs)
        self._wrap(self.patches)

    def _uninstrument(self, **kwargs: Any) -> None:
        self.patches.restore()
