"""Runs programs under the real `opentelemetry-instrument`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

LOADER = Path(sys.executable).with_name("opentelemetry-instrument")
# One streamed call of each SDK, and then what the process knows of us, as a line of JSON.
PROGRAM = """
import json
import anthropic, openai
from otel_stream import control, runtime
from otel_stream.testing import ProviderServer, Script, chat_text, message_text

asked = [{"role": "user", "content": "Hello?"}]
with ProviderServer() as server:
    server.script("/v1/chat/completions", Script.stream(chat_text(["Hello", " you"])))
    server.script("/v1/messages", Script.stream(message_text(["Hello", " you"])))
    client = openai.OpenAI(base_url=server.openai_url, api_key="test")
    for chunk in client.chat.completions.create(model="gpt", messages=asked, stream=True):
        pass
    client = anthropic.Anthropic(base_url=server.anthropic_url, api_key="test")
    for event in client.messages.create(model="claude", max_tokens=9, messages=asked, stream=True):
        pass
settings = runtime.current().settings
instrumentors = [entry.load()() for entry in control.candidates()]
print(json.dumps({
    "active": [each.name for each in instrumentors if each.is_instrumented_by_opentelemetry],
    "capture_content": settings.capture_content,
    "stall_after": settings.stall_after,
}))
"""


class Ended(NamedTuple):
    """How a program ended: what it knew of us, what was logged, the spans that it exported."""

    knew: dict[str, Any]
    log: str
    spans: list[dict[str, Any]]

    def texts(self, name: str) -> dict[str, str]:
        """The texts among the attributes of the only span with this name."""
        [span] = [span for span in self.spans if span["name"] == name]
        return texts_of(span)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Name and outcome of each of our spans, in their order."""
        found = [(span["name"], texts_of(span).get("otel_stream.outcome")) for span in self.spans]
        return [(name, outcome) for name, outcome in found if outcome is not None]


def texts_of(span: dict[str, Any]) -> dict[str, str]:
    """The span's attributes that are texts."""
    values = {one["key"]: one["value"].get("stringValue") for one in span["attributes"]}
    return {key: value for key, value in values.items() if value is not None}


def spans_of(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The spans in OTLP JSON lines."""
    return [
        span
        for line in lines
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program under `opentelemetry-instrument`, in an empty folder that is importable.

    `first` is put in front of the program; other keywords are variables.
    """
    standard = {
        "OTEL_TRACES_EXPORTER": "otlp_json_file",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "PYTHONPATH": str(tmp_path),
    }

    def run(program: str = PROGRAM, first: str = "", **variables: str) -> Ended:
        (tmp_path / "program.py").write_text(first + program)
        ended = subprocess.run(
            [LOADER, sys.executable, "program.py"],
            check=False,
            cwd=tmp_path,
            env={**os.environ, **standard, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended
        lines = ended.stdout.splitlines()
        [knew] = [line for line in lines if line.startswith('{"active"')]
        lines.remove(knew)
        return Ended(json.loads(knew), ended.stderr, spans_of(lines))

    return run
