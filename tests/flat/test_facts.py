"""Kinds of values: what counts as one, and what is unknown."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from otel_stream.flat.facts import CONTENT, FACTS
from otel_stream.flat.otlp import plain

from .batch import value_of

OUTCOME = "otel_stream.outcome"
TIME = "otel_stream.time_to_first_token"
COUNT = "otel_stream.chunk.count"
PARTIAL = "otel_stream.partial"
REASONS = "gen_ai.response.finish_reasons"


def told(attribute: str, value: Any) -> Any:
    """What is told of an attribute's value, None for nothing."""
    _, kind = (FACTS | CONTENT)[attribute]
    return kind(plain(msgspec.Raw(json.dumps(value_of(value)).encode())))


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        (OUTCOME, "completed", "completed"),
        (OUTCOME, 7, None),
        (OUTCOME, "", None),
        (PARTIAL, False, False),
        (PARTIAL, {"intValue": 0}, None),
        (TIME, 0.5, 0.5),
        (TIME, 0.0, 0.0),
        (TIME, {"doubleValue": "0.25"}, 0.25),
        (TIME, {"doubleValue": "NaN"}, None),
        (TIME, {"doubleValue": "1e999"}, None),
        (TIME, {"doubleValue": "1_0"}, None),
        (TIME, True, None),
        (TIME, "soon", None),
        (COUNT, 12, 12),
        (COUNT, {"intValue": 12}, 12),
        (COUNT, {"intValue": "9" * 5000}, None),
        (COUNT, {"intValue": 2**63}, None),
        (COUNT, {"intValue": "1_0"}, None),
        (COUNT, -1, None),
        (COUNT, 2.5, None),
        (COUNT, {"intValue": True}, None),
        (COUNT, {}, None),
        (COUNT, {"zigValue": 1}, None),
        (REASONS, ["stop", "length"], ["stop", "length"]),
        (REASONS, [1, "stop", {}], ["stop"]),
        (REASONS, [], None),
        (REASONS, {"arrayValue": 7}, None),
        (REASONS, {"arrayValue": {"values": "stop"}}, None),
    ],
)
def test_kinds(attribute: str, value: Any, expected: Any) -> None:
    """A value of another kind, or one that cannot be, is unknown; 0 and false are values."""
    assert told(attribute, value) == expected


@pytest.mark.parametrize(
    ("attribute", "value", "kind"),
    [(TIME, {"intValue": "1"}, float), (COUNT, {"doubleValue": 5.0}, int)],
)
def test_a_key_has_one_type(attribute: str, value: Any, kind: type) -> None:
    """Seconds are floats and counts integers, also where a language has but one kind of number."""
    assert type(told(attribute, value)) is kind


@pytest.mark.parametrize("raw", [b"", b"null", b'"x"', b"[1]", b'{"stringValue":"\\ud83d"}'])
def test_no_value(raw: bytes) -> None:
    """What is no value of OTLP, or no text, is unknown."""
    assert plain(msgspec.Raw(raw)) is None


def test_deep() -> None:
    """A value that is nested deeper than can be read is unknown."""
    deep = b'{"arrayValue":{"values":[' * 20_000 + b"]}}" * 20_000

    assert plain(msgspec.Raw(deep)) is None


def test_keys_are_told_apart() -> None:
    """No two attributes share a key."""
    keys = [key for key, _ in [*FACTS.values(), *CONTENT.values()]]

    assert len(keys) == len(set(keys))
