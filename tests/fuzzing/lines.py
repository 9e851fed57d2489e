"""The way of a span into a file of OTLP JSON lines, and out again by `otel-stream streams`."""

from __future__ import annotations

import io
import json

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans

from otel_stream.flat.files import Source
from otel_stream.flat.files import lines as lines_of
from otel_stream.flat.reader import Reader, json_line
from otel_stream.outcome import Outcome

from .checks import Checks
from .corpus import Event
from .mutation import Mutator
from .paths import trace_of

__all__ = ["lines"]

LONGEST = 100_000


def lines(api: str, mutator: Mutator, checks: Checks) -> int:
    """A stream's span as its exporter writes it; and the same as garbage, which ends well too."""
    recorder = trace_of(api, mutator).recorder
    outcome = mutator.random.choice(list(Outcome))
    recorder.end(outcome, recorder.clock())
    span = checks.stream()
    line = encode_spans([span]).to_json()
    assert span.context is not None
    [flat], is_whole = Reader().feed(line.encode())
    assert is_whole
    assert flat["span_id"] == f"{span.context.span_id:016x}"
    assert flat["outcome"] == (span.attributes or {})["otel_stream.outcome"]
    _garbage(line, mutator)
    return 1


def _garbage(line: str, mutator: Mutator) -> None:
    """A file of mutated lines: each line that comes out is JSON, without null or controls."""
    random = mutator.random
    written = [json.dumps(mutator.value(Event("", line))) for _ in range(3)]
    file = bytearray("\n".join([*written, line, ""]).encode())
    while random.random() < 0.5:
        place = random.randrange(len(file))
        if random.random() < 0.3:
            del file[place : place + random.randrange(500)]
        else:
            file[place] = random.randrange(256)
    source = Source("x", io.BufferedReader(io.BytesIO(file)))
    reader = Reader(content=True)
    for piece in lines_of(source, _complain, LONGEST):
        for flat in reader.feed(piece)[0] if piece is not None else ():
            out = json_line(flat)
            assert json.loads(out) == flat and None not in flat.values(), out
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in out[:-1].decode()), out


def _complain(text: str) -> None:
    """Bytes that were turned may look compressed; reading them ends with a word."""
    assert text.startswith("x: ")
