"""What the built wheel does in a clean environment. Run with its Python, isolated:

python -I tests/smoke_wheel.py alone      # installed without extras
python -I tests/smoke_wheel.py streams    # installed with [openai,anthropic]
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

WORDS = ["Hello", ", ", "you", "."]


def alone() -> None:
    """Without any provider SDK the line is quiet and does no harm, and the doctor answers."""
    assert all(importlib.util.find_spec(name) is None for name in ("openai", "anthropic"))
    line = run("-c", "import otel_stream; otel_stream.instrument(); print('went on')")
    assert (line.stdout, line.stderr) == ("went on\n", ""), line
    doctor = run("-m", "otel_stream", "doctor")
    assert "otel-stream" in doctor.stdout, doctor


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Another Python of this environment, in this folder."""
    return subprocess.run(
        [sys.executable, "-I", *arguments], capture_output=True, text=True, check=False
    )


def streams() -> None:
    """One streamed call of each SDK leaves one span each in the file."""
    import otel_stream
    from otel_stream.testing.anthropic_messages import message_text
    from otel_stream.testing.openai_chat import chat_text
    from otel_stream.testing.script import Script
    from otel_stream.testing.server import ProviderServer

    with ProviderServer() as server:
        server.script("/v1/chat/completions", Script.stream(chat_text(WORDS)))
        server.script("/v1/messages", Script.stream(message_text(WORDS)))
        otel_stream.instrument(service_name="smoke")
        assert ask_openai(server.openai_url) == "".join(WORDS)
        assert ask_anthropic(server.anthropic_url) == "".join(WORDS)
        assert otel_stream.flush()
    found = sorted((one["name"], *outcome_of(one)) for one in spans())
    expected = [("chat claude-haiku-4-5", "completed"), ("chat gpt-4o-mini", "completed")]
    assert found == expected, found


def ask_openai(url: str) -> str:
    """The text of a streamed chat completion."""
    import openai

    client = openai.OpenAI(base_url=url, api_key="test")
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello?"}], stream=True
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def ask_anthropic(url: str) -> str:
    """The text of a streamed message."""
    import anthropic

    client = anthropic.Anthropic(base_url=url, api_key="test")
    with client.messages.stream(
        model="claude-haiku-4-5", max_tokens=99, messages=[{"role": "user", "content": "Hello?"}]
    ) as stream:
        return "".join(stream.text_stream)


def spans() -> list[dict[str, Any]]:
    """The spans in the file of the embedded default."""
    lines = Path("otel-stream-data", "traces.jsonl").read_text().splitlines()
    return [
        span
        for line in lines
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def outcome_of(span: dict[str, Any]) -> list[str]:
    """The span's outcomes: exactly one, if all is well."""
    attributes = span["attributes"]
    return [a["value"]["stringValue"] for a in attributes if a["key"] == "otel_stream.outcome"]


def main() -> None:
    """Run the check that is named, in an empty folder and without settings from outside."""
    import otel_stream

    assert Path(otel_stream.__file__).is_relative_to(sys.prefix), "not the installed package"
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        {"alone": alone, "streams": streams}[sys.argv[1]]()
        otel_stream.shutdown()
        os.chdir("/")
    print(f"{sys.argv[1]}: passed")


if __name__ == "__main__":
    main()
