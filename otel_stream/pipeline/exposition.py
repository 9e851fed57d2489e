"""The text in which a program tells its metrics (Prometheus text format 0.0.4), as far as needed.

The parser of `prometheus_client` comes with an extra only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from otel_stream.pipeline.prometheus import Sample

__all__ = ["samples"]

_SAMPLE = re.compile(
    r"([A-Za-z_:][\w:]*)[ \t]*"
    r'(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?'
    r"[ \t]+(\S+)(?:[ \t].*)?",
    re.ASCII | re.DOTALL,
)
_LABEL = re.compile(r'\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.ASCII | re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n"}


def samples(text: str) -> Iterator[Sample]:
    """The samples, their names as the label `__name__`. What is none is passed over."""
    for line in text.split("\n"):
        found = _SAMPLE.fullmatch(line.strip())
        if found is None:
            continue
        name, labels, value = found.groups()
        try:
            number = float(value)
        except ValueError:
            continue
        yield Sample({"__name__": name} | _labels(labels or ""), number)


def _labels(text: str) -> dict[str, str]:
    return {
        name: _ESCAPED.sub(lambda escaped: _MEANT.get(escaped[1], escaped[1]), value)
        for name, value in _LABEL.findall(text)
    }
