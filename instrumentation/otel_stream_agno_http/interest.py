"""Which of the program's requests run an agent or a team, by their path."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from otel_stream import runtime, semconv
from otel_stream.call import CallInfo, Content
from otel_stream.http import Exchange, Request
from otel_stream.redaction import without_numbers
from otel_stream_agno.events import RunReader
from otel_stream_agno.facts import OPERATION, PROVIDER
from otel_stream_agno_http.asked import Asked, asked_in
from otel_stream_agno_http.exchange import RunExchange
from otel_stream_agno_http.redirect import redirected
from otel_stream_agno_http.run import AskedRun

__all__ = ["AgentRuns", "Target", "target_of"]

_LONGEST = 256


class Target(NamedTuple):
    """Whom a path names: the id, and whether it is a team if the path says so."""

    id: str
    team: bool | None


class AgentRuns:
    """Wants POST requests to the paths of the setting `agent_paths`."""

    def watch(self, request: Request) -> Exchange | None:
        """The exchange of a request that runs an agent."""
        if request.method != "POST":
            return None
        current = runtime.current()
        run = redirected(request.path)
        if run is None:
            target = target_of(request.path, current.settings.agent_paths)
            if target is None:
                return None
            asked = asked_in(request.body())
            info = _info(request, target, asked, captures=current.captures)
            run = AskedRun(current, info, RunReader(team=target.team))
        return RunExchange(current, run, request.path)


def target_of(path: str, patterns: tuple[str, ...]) -> Target | None:
    """Whom the path names, if one of the patterns is its end; `*` stands for one segment."""
    for ends, team in _compiled(patterns):
        found = ends(path)
        if found is not None:
            name = found[1] if found.re.groups else ""
            return Target(unquote(name)[:_LONGEST], team)
    return None


@lru_cache(maxsize=16)
def _compiled(patterns: tuple[str, ...]) -> list[tuple[Any, bool | None]]:
    found: list[tuple[Any, bool | None]] = []
    for pattern in patterns:
        segments = pattern.strip("/").split("/")
        text = "/".join("([^/]+)" if one == "*" else re.escape(one) for one in segments)
        before = segments[segments.index("*") - 1] if "*" in segments[1:] else ""
        team = {"teams": True, "agents": False}.get(before)
        found.append((re.compile(f"/{text}/?$").search, team))
    return found


def _info(request: Request, target: Target, asked: Asked, *, captures: bool) -> CallInfo:
    attributes: dict[str, Any] = {}
    if target.id:
        attributes[semconv.AGENT_ID] = target.id
    if target.team is not None:
        attributes[semconv.RUN_KIND] = "team" if target.team else "agent"
    if asked.session_id:
        attributes[semconv.CONVERSATION_ID] = without_numbers(asked.session_id[:_LONGEST])
    message = asked.message if captures else None

    def content() -> Content:
        parts = [{"type": "text", "content": message}]
        return {semconv.INPUT_MESSAGES: [{"role": "user", "parts": parts}]}

    return CallInfo(
        operation=OPERATION,
        provider=PROVIDER,
        server_address=request.host,
        server_port=request.port,
        attributes=attributes,
        content=content if message else None,
        name=f"{OPERATION} {target.id}" if target.id else OPERATION,
        streamed=asked.streamed,
    )
