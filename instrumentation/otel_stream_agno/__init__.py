"""Traces agents and teams of `agno` that run in the process."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec

from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.patches import Patches

__all__ = ["AgnoInstrumentor"]


class AgnoInstrumentor(StreamInstrumentor):
    """Wraps the methods that run an agent or a team, and the execution of tools."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The oldest that is tested; 1.x has other methods and other tools."""
        return ("agno >= 2.0.0",)

    @property
    def native(self) -> str | None:
        """Agno's own tracing, where this version has it."""
        if find_spec("agno.tracing") is None:
            return None
        return (
            "agno.tracing.setup_tracing adds OpenInference's spans; where both go to one place, a"
            " model's call is one span with both kinds of attributes, and runs and tools are two"
        )

    def _wrap(self, patches: Patches) -> None:
        from agno.agent.agent import Agent
        from agno.team.team import Team

        from otel_stream_agno import calls, functions, pools

        calls.wrap(patches, Agent, "agent")
        calls.wrap(patches, Team, "team")
        functions.wrap(patches)
        pools.wrap(patches, Agent, Team)
