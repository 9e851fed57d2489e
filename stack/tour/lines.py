"""The agent's JSON files, as `otel-stream streams` tells them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from rich.text import Text

from stack.table import otel_stream
from stack.tour.sent import Sent

__all__ = ["Lines"]

_SHOWN = 3
_BEGIN = 60
"""Characters of the lines after the first."""


class Lines:
    """What the files have.

    Args:
        folder: Where they are.
        sent: What was sent.
    """

    name = "JSON lines"

    def __init__(self, folder: Path, sent: Sent) -> None:
        self._folder = folder
        self._sent = sent

    def missing(self) -> str:
        """Streams that are not there."""
        left = self._sent.span_ids - {flat["span_id"] for flat in map(json.loads, self._flat())}
        return f"{len(left)} of {len(self._sent.span_ids)} streams" if left else ""

    def lines(self) -> Iterator[tuple[str, Text]]:
        """The first lines: one in full, of the others the beginning."""
        found = self._flat()
        yield "streams", Text(str(len(found)))
        for number, line in enumerate(found[:_SHOWN]):
            yield f"line {number + 1}", Text(line if number == 0 else f"{line[:_BEGIN]}...")

    def asks(self) -> Iterator[str]:
        """The command, and a question that jq answers."""
        command = f"{otel_stream()} streams {quote(str(self._folder))}"
        yield command
        yield f"{command} | jq -c '[.request_model, .outcome, .time_to_first_token]'"

    def _flat(self) -> list[str]:
        command = [sys.executable, "-m", "otel_stream", "streams", str(self._folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.splitlines()
