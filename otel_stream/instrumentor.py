"""The base of our instrumentors: OpenTelemetry's, with the checks that its loader leaves out."""

from __future__ import annotations

import dataclasses
import logging
from abc import abstractmethod
from typing import Any

from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from otel_stream import runtime
from otel_stream.patches import Patches
from otel_stream.settings import Settings

__all__ = ["Options", "StreamInstrumentor"]

logger = logging.getLogger("otel_stream")

_LOADERS = frozenset({"skip_dep_check", "raise_exception_on_conflict"})
"""Arguments of `BaseInstrumentor.instrument` that are no settings."""

# All are optional: what a file does not say is for the environment to say.
Options = dataclasses.make_dataclass(
    "Options", [(field.name, Any, None) for field in dataclasses.fields(Settings)], kw_only=True
)
"""What a declarative configuration may say to an instrumentor: every setting."""


class StreamInstrumentor(BaseInstrumentor):
    """Wraps one library. One a process, as OpenTelemetry wants it.

    `opentelemetry-instrument` calls `instrument(skip_dep_check=True)`, because a distribution of
    many instrumentors cannot declare its libraries one by one; so the check stands in
    `_instrument`, which raises `DependencyConflictError`: the loader skips us quietly when the
    library is absent and says so when it is too old.
    """

    configuration = Options
    """Where `opentelemetry-configuration` looks for the options that its file may give us."""

    any_of: tuple[str, ...] = ()
    """Libraries of which any will do, where none is needed before all others."""

    _patches: Patches | None = None

    @property
    def patches(self) -> Patches:
        """What is wrapped now."""
        if self._patches is None:
            self._patches = Patches()
        return self._patches

    @property
    def name(self) -> str:
        """The entry point's name, which is that of the package."""
        return type(self).__module__.partition(".")[0]

    @property
    def native(self) -> str | None:
        """What this version of the library traces itself, and what becomes of that; else None."""
        return None

    def instrument(self, **kwargs: Any) -> Any:
        """Wrap the library, unless the settings switch everything off or leave this one out.

        Twice is a no-op: after a declarative configuration the loader comes here once more.

        Args:
            kwargs: Settings and providers as for `otel_stream.instrument`. A wrong setting is
                logged, and the default used.
        """
        runtime.ensure(**{n: v for n, v in kwargs.items() if n not in _LOADERS})
        settings = runtime.current().settings
        if self.is_instrumented_by_opentelemetry or settings.disabled:
            return None
        if not settings.chooses(self.name):
            return None
        return super().instrument(**{n: v for n, v in kwargs.items() if n in _LOADERS})

    def attempt(self) -> None:
        """Wrap the library if it is there. One that is too old is logged, an absent one is not."""
        if self.is_instrumented_by_opentelemetry:
            return
        try:
            self.instrument(skip_dep_check=True)
        except DependencyConflictError as error:
            too_old = logging.WARNING if error.conflict.found else logging.DEBUG
            logger.log(too_old, "otel-stream: %s", error.conflict)

    def missing(self) -> list[str]:
        """What this version of the library lacks of what is to be wrapped. Wraps nothing.

        Raises:
            ImportError: The library cannot be imported.
        """
        if self.is_instrumented_by_opentelemetry:
            return list(self.patches.missing)
        rehearsal = Patches(rehearse=True)
        self._wrap(rehearsal)
        return rehearsal.missing

    @abstractmethod
    def _wrap(self, patches: Patches) -> None:
        """Import the library and wrap it."""

    def _instrument(self, **kwargs: Any) -> None:
        conflict = self._check_dependency_conflicts()
        if conflict is not None:
            raise DependencyConflictError(conflict)
        self._wrap(self.patches)
        runtime.instrumented[self.name] = self

    def _uninstrument(self, **kwargs: Any) -> None:
        self.patches.restore()
        runtime.instrumented.pop(self.name, None)
