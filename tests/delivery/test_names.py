"""People whose JID is no number: who they are, and what speaks of them."""

from __future__ import annotations

from typing import Any

import pytest

import otel_stream
from otel_stream.delivery.identity import hidden
from otel_stream.outcome import Outcome
from otel_stream.redaction import hashed
from otel_stream.testing import Captured
from otel_stream.watcher import watcher
from tests.delivery.bodies import NUMBER, evolution, record

LID = "998877665544332@lid"
JID = f"{NUMBER}@s.whatsapp.net"


def attributes_of_turn(captured: Captured, **key: Any) -> dict[str, Any]:
    """What the turn of a message with this key says."""
    with otel_stream.process_webhook(evolution(record(**key))):
        pass
    watcher.end_all(Outcome.ABANDONED)
    return dict(captured.span("process whatsapp").attributes or {})


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": LID, "remoteJidAlt": JID},
        {"remoteJid": JID, "remoteJidAlt": LID},
        {"remoteJid": "120363020000000000@g.us", "participant": LID, "participantAlt": JID},
    ],
)
def test_one_hash_for_both_names(captured: Captured, send: Any, key: dict[str, str]) -> None:
    """Who writes has the hash of who is written to, where the webhook tells the number."""
    send().accepted()
    recipient = (captured.span().attributes or {})["otel_stream.delivery.recipient"]

    assert attributes_of_turn(captured, **key)["otel_stream.channel.sender"] == recipient


def test_an_id_that_speaks_of_either(captured: Captured) -> None:
    """A message's id is hidden where it holds any name of the person."""
    identity = "3A998877665544332"
    attributes = attributes_of_turn(captured, remoteJid=LID, senderPn=JID, id=identity)

    assert attributes["messaging.message.id"] == hashed(identity)
    assert attributes["otel_stream.channel.sender"] == hidden(NUMBER)
