"""What is looked at of a webhook, and what is beyond."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import otel_stream
from otel_stream import settings
from otel_stream.delivery.entries import MOST, entries_of
from otel_stream.delivery.receipts import receipts
from otel_stream.testing import Captured
from tests.delivery.bodies import cloud, cloud_message, cloud_status, evolution, update

DROPPED = "otel_stream.events.dropped"


def changes(count: int, told: dict[str, Any]) -> list[Any]:
    """So many changes, each of which tells one thing."""
    return [{"field": "messages", "value": told} for _ in range(count)]


def test_names_of_events() -> None:
    """Evolution writes its events in two ways."""
    assert entries_of({"event": "MESSAGES_UPDATE"}).event == "messages.update"


def test_read_once() -> None:
    """What was read is not read again."""
    entries = entries_of(update("BAE5", "READ"))

    assert entries_of(entries) is entries


@pytest.mark.parametrize(
    "entry",
    [
        [{"changes": changes(1_000, {"statuses": [cloud_status("wamid.A", "read")]})}],
        [{"changes": changes(1, {"statuses": [cloud_status("wamid.A", "read")]})}] * 1_000,
    ],
)
def test_as_much_as_the_cloud_sends(entry: list[Any]) -> None:
    """A thousand things at once are all read, each in a change or an entry of its own."""
    found = entries_of({"entry": entry})

    assert (len(found.statuses), found.beyond) == (1_000, 0)


@pytest.mark.parametrize(
    ("entry", "read", "beyond"),
    [
        ([{"changes": changes(1, {"messages": [{}] * 5_000})}], 2_998, 2_002),
        ([{"changes": changes(100, {"messages": [{}] * 1_000})}], 2_996, 101),
        ([{"changes": changes(5_000, {"messages": [{}]})}], 1_499, 3_501),
        ([{}] * 5_000, 0, 2_000),
        ([7] * 5_000, 0, 2_000),
    ],
)
def test_one_budget_for_a_body(entry: list[Any], read: int, beyond: int) -> None:
    """However the entries of a body are nested, so many of them are looked at, and no more."""
    found = entries_of({"entry": entry})

    assert (len(found.messages), found.beyond) == (read, beyond)


def test_a_nested_body_costs_little() -> None:
    """However deep and wide lists stand in lists, so many entries are looked at."""
    data: Any = []
    for _ in range(MOST):
        data = [data, *[0] * 999]
    wide = entries_of(evolution([{"key": {}}] * 5_000))

    assert entries_of(evolution(data)).records == []
    assert (len(wide.records), wide.beyond) == (MOST - 1, 5_000 - MOST + 1)


def test_what_is_beyond_is_counted(
    captured: Captured, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not looked at is counted, and said once, whoever reads it."""
    monkeypatch.setattr(settings, "_said", set())
    body = cloud(statuses=[{}] * 4_000)
    with otel_stream.process_webhook(body):
        pass
    once = captured.point(DROPPED)
    otel_stream.record_delivery_status(body)
    twice = captured.point(DROPPED)
    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]

    assert (once.value, twice.value) == (1_002, 2_004)
    assert once.attributes == {"otel_stream.drop.reason": "webhook_entries"}
    assert len(lines) == 1


def test_nothing_long_is_kept(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a forged webhook calls its messages and people is not held."""
    kept: list[str] = []
    monkeypatch.setattr(receipts, "tell", lambda told: kept.append(told.message_id))
    body = cloud(
        messages=[cloud_message(identity="x" * 1_000)],
        statuses=[cloud_status("x" * 1_000, "read"), cloud_status("wamid.A", "read")],
    )
    with otel_stream.process_webhook(body) as turn:
        pass

    assert (turn, kept) == (None, ["wamid.A"])
