"""Lets the scenes play, all at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from opentelemetry import trace

import otel_stream
from otel_stream.testing import ProviderServer
from otel_stream_demo.figures import SCENE
from otel_stream_demo.progress import Row
from otel_stream_demo.provider import dated
from otel_stream_demo.scene import Scene
from otel_stream_demo.service import Service

__all__ = ["behind", "play"]

Expect = Callable[[str, Row], None]

BETWEEN = 0.3
"""Seconds between the beginnings of two conversations."""


def behind(server: ProviderServer, scenes: Sequence[Scene]) -> Service:
    """The chat service with this server behind it, which answers each model by its script."""
    answers = {each.model: each.answer(dated(each.model)) for each in scenes if each.answer}
    server.handler = lambda request: answers[request.json["model"]]
    local = {"api_key": "none", "max_retries": 0}
    return Service(
        {"base_url": server.openai_url, **local}, {"base_url": server.anthropic_url, **local}
    )


def play(rows: Sequence[Row], service: Service, expect: Expect) -> dict[str, Exception]:
    """Let the scenes of all rows play, each in a thread.

    Each conversation is a span of the service's own, whose trace `expect` is told of beforehand.

    Returns:
        What was raised, by the scene's title.
    """
    failures: dict[str, Exception] = {}
    tracer = trace.get_tracer("demo")

    def talk(row: Row) -> None:
        scene = row.scene
        with tracer.start_as_current_span("conversation") as span:
            expect(f"{span.get_span_context().trace_id:032x}", row)
            try:
                with otel_stream.attributes(**{SCENE: scene.title}):
                    scene.play(service, scene.model)
            except Exception as error:  # noqa: BLE001 - a real service would say sorry
                failures[scene.title] = error

    threads = [threading.Thread(target=talk, args=[row], daemon=True) for row in rows]
    for thread in threads:
        thread.start()
        time.sleep(BETWEEN)
    for thread in threads:
        thread.join()
    return failures
