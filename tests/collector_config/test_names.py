"""The names of ours that the configurations of collectors use."""

from __future__ import annotations

import re

import pytest

from otel_stream import semconv

from .configuration import FOLDER

KNOWN = {value for value in vars(semconv).values() if isinstance(value, str)}
OWN = {"otel_stream.spans", "otel_stream.spans.first_token", "otel_stream.event"}
"""What an agent makes itself: the figures from spans, and their label for an event's name."""


@pytest.mark.parametrize("name", ["agent.yaml", "gateway.yaml"])
def test_each_name_is_one_that_spans_have(name: str) -> None:
    """What is asked of a span is what the SDK sets, so that no condition is silently never true."""
    text = (FOLDER / name).read_text()
    used = set(re.findall(r"otel_stream\.[a-z_.]*[a-z]", text))

    assert used
    assert used - KNOWN - OWN == set()
