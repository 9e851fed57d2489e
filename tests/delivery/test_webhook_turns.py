"""Whose turn a webhook begins, and which one of theirs an answer finds."""

from __future__ import annotations

from typing import Any

import pytest

import otel_stream
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import Turn
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream.watcher import watcher
from tests.delivery.bodies import NUMBER, cloud, cloud_message, evolution, record

GROUP = "120363020000000000@g.us"
REACTION = {"message": {"reactionMessage": {"text": "👍"}}, "messageType": "reactionMessage"}
DELETION = {"message": {"protocolMessage": {"type": "REVOKE"}}, "messageType": "protocolMessage"}


def told(identity: str, *, instance: str = "one", **more: Any) -> Turn | None:
    """The turn of a webhook with this message."""
    body = {**evolution({**record(identity=identity), **more}), "instance": instance}
    with otel_stream.process_webhook(body) as turn:
        return turn


@pytest.fixture(autouse=True)
def ended(captured: Captured) -> Any:
    """No turn is left open."""
    yield
    watcher.end_all(Outcome.ABANDONED)


@pytest.mark.parametrize("more", [REACTION, DELETION, {"message": None, "messageStubType": 2}])
def test_what_asks_for_nothing(captured: Captured, more: dict[str, Any]) -> None:
    """Who reacts, deletes, or has sent what cannot be read still waits for the answer before."""
    question = told("Q1")
    after = told("R1", **more)

    assert (after, open_turns.of_person(NUMBER)) == (None, question)


def test_a_reaction_by_itself(captured: Captured) -> None:
    """A reaction of somebody who waits for nothing may be answered, and a question comes after."""
    reaction = told("R1", **REACTION)
    question = told("Q1")

    assert reaction is not None
    assert question not in (None, reaction)
    assert open_turns.of_person(NUMBER) is question


def test_a_reaction_of_the_cloud(captured: Captured) -> None:
    """The same for the Cloud API's."""
    with otel_stream.process_webhook(cloud(messages=[cloud_message()])):
        pass
    reaction = {**cloud_message(identity="wamid.R"), "type": "reaction"}
    with otel_stream.process_webhook(cloud(messages=[reaction])) as turn:
        pass

    assert turn is None


def test_an_older_message_told_again(captured: Captured) -> None:
    """It goes on in its turn, and the person's last message stays the last."""
    first, second = told("Q1"), told("Q2")
    again = told("Q1")

    assert again is first
    assert open_turns.of_person(NUMBER) is second


def test_two_bots_and_one_person(captured: Captured) -> None:
    """Each bot's answer is in the turn of the message that it was sent."""
    turns = [told(f"Q{bot}", instance=bot) for bot in ("one", "two")]
    for bot in ("one", "two"):
        Send(Message(recipient=NUMBER, text="Hi", instance=bot)).accepted()
    first, second = captured.spans("send whatsapp")

    assert [first.parent, second.parent] == [
        turn and turn.span.get_span_context() for turn in turns
    ]


def test_two_numbers_of_the_cloud(captured: Captured) -> None:
    """There a bot is a number of the business, which its messages and its sends name."""
    for bot in ("106540352242922", "106540352242933"):
        body = cloud(messages=[cloud_message(identity=f"wamid.{bot}")])
        body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = bot
        with otel_stream.process_webhook(body):
            pass
    Send(Message(recipient=NUMBER, text="Hi", instance="106540352242922")).accepted()
    watcher.end_all(Outcome.ABANDONED)

    answered = {
        (span.attributes or {})["otel_stream.channel.instance"]: (span.attributes or {})[
            "otel_stream.delivery.messages"
        ]
        for span in captured.spans("process whatsapp")
    }
    assert answered == {hidden("106540352242922"): 1, hidden("106540352242933"): 0}


def test_two_bots_in_one_group(captured: Captured) -> None:
    """A group's message has one id for both: each has a turn of its own."""
    key = {"remoteJid": GROUP, "fromMe": False, "id": "G1", "participant": f"{NUMBER}@c.us"}
    first, second = (told("G1", instance=bot, key=key) for bot in ("one", "two"))

    assert first is not second
    assert [open_turns.of_message("G1", bot) for bot in ("one", "two")] == [first, second]


def test_an_answer_to_who_has_asked_in_a_group(captured: Captured) -> None:
    """Who has asked in a group may be answered in private; nobody else is."""
    key = {"remoteJid": GROUP, "fromMe": False, "id": "G1", "participant": f"{NUMBER}@c.us"}
    turn = told("G1", key=key)

    assert turn is not None
    found = [turn.people.may_include(each) for each in (GROUP, NUMBER, "5521888880000")]
    assert found == [True, True, False]
