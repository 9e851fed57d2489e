"""A person's message, whichever channel's webhook brings it."""

from __future__ import annotations

from typing import Any

import pytest

from otel_stream.delivery.incoming import Incoming, incoming_of
from tests.delivery.bodies import NUMBER, cloud, cloud_message, evolution, record

JID = f"{NUMBER}@s.whatsapp.net"
LID = "270123456789012@lid"
JOKE = Incoming(
    sender=JID,
    message_id="3EB0C767D26A1B2C3D4E",
    chat=(JID,),
    instance="testonho",
    kind="text",
    text="Tell me a joke",
)


@pytest.mark.parametrize(
    "data",
    [
        record(),
        [record()],
        {"messages": [record()]},
        {"messages": record()},
        {"data": record()},
        {"data": {"messages": [record()]}},
        [[record()]],
    ],
)
@pytest.mark.parametrize("event", ["messages.upsert", "MESSAGES_UPSERT"])
def test_of_evolution(data: Any, event: str) -> None:
    """However it is wrapped, and however its event is written."""
    assert incoming_of(evolution(data, event)) == [JOKE]


def test_of_the_cloud() -> None:
    """The Cloud API's messages, of all its entries."""
    body = cloud(messages=[cloud_message(), cloud_message("And one more", identity="wamid.2")])
    body["entry"] *= 2
    common = {"sender": NUMBER, "chat": (NUMBER,), "instance": "106540352242922"}
    first = Incoming(message_id="wamid.HBgMNTUxMTk=", text="Tell me a joke", **common)
    second = Incoming(message_id="wamid.2", text="And one more", **common)

    assert incoming_of(body) == [first, second] * 2


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ({"conversation": "Hi"}, "text", "Hi"),
        ({"extendedTextMessage": {"text": "Hi"}}, "text", "Hi"),
        ({"imageMessage": {"caption": "Hi"}}, "media", ""),
        ({"videoMessage": {}}, "media", ""),
        ({"documentWithCaptionMessage": {}}, "media", ""),
        ({"audioMessage": {"ptt": True}}, "audio", ""),
        ({"stickerMessage": {}}, "sticker", ""),
        ({"contactsArrayMessage": {}}, "contact", ""),
        ({"reactionMessage": {"text": "👍"}}, "reaction", ""),
        ({"locationMessage": {}}, "location", ""),
        ({"ephemeralMessage": {"message": {"conversation": "Hi"}}}, "text", "Hi"),
        ({"viewOnceMessageV2": {"message": {"imageMessage": {}}}}, "media", ""),
        ({"conversation": "my document, an image of media"}, "text", None),
        ({"orderMessage": {}}, "other", ""),
        ({"Ana": {}}, "other", ""),
    ],
)
def test_kinds(message: Any, kind: str, text: str | None) -> None:
    """What kind a message is its own fields say, and never its text."""
    told = {**record(), "message": message, "messageType": None}
    (found,) = incoming_of(evolution(told))

    assert found.kind == kind
    assert text is None or found.text == text


@pytest.mark.parametrize(
    ("kind", "ours"),
    [("text", "text"), ("image", "media"), ("audio", "audio"), ("contacts", "contact"),
     ("order", "order"), ("call 5511999990000", "other"), ("text of Ana", "other"),
     ("Ana", "other"), (None, "other"), ([], "other")],
)  # fmt: skip
def test_kinds_of_the_cloud(kind: Any, ours: str) -> None:
    """The Cloud API's types by our names; what is none of them is no kind, a word or not."""
    (found,) = incoming_of(cloud(messages=[{**cloud_message(), "type": kind}]))

    assert found.kind == ours


def test_groups() -> None:
    """In a group the sender is who wrote, and the answer goes to the group."""
    told = record(remoteJid="120363020000000000@g.us", participant=JID)
    (found,) = incoming_of(evolution(told))

    assert (found.sender, found.chat) == (JID, ("120363020000000000@g.us",))


def test_people_whose_jid_is_no_number() -> None:
    """Newer versions name some people by another id, and tell their number beside it."""
    told = record(remoteJid=LID, remoteJidAlt=JID, senderPn=NUMBER)
    (found,) = incoming_of(evolution(told))

    assert found.chat == (LID, JID, NUMBER)
    assert found.sender == JID


@pytest.mark.parametrize("key", ["participantAlt", "participantPn"])
def test_people_of_groups_whose_jid_is_no_number(key: str) -> None:
    """Also in a group their number is who they are."""
    told = record(remoteJid="120363020000000000@g.us", participant=LID, **{key: JID})
    (found,) = incoming_of(evolution(told))

    assert (found.sender, found.chat) == (JID, ("120363020000000000@g.us",))


def test_people_whose_number_nobody_tells() -> None:
    """Where no number is told, their id is who they are."""
    (found,) = incoming_of(evolution(record(remoteJid=LID)))

    assert (found.sender, found.chat) == (LID, (LID,))


@pytest.mark.parametrize("name", ["id", "remoteJid", "participant", "remoteJidAlt"])
def test_names_that_are_too_long(name: str) -> None:
    """An id without which there is no message, or a name of somebody, is none if it is forged."""
    told = record(**{"remoteJid": "1@g.us" if name == "participant" else LID, name: "5" * 513})
    found = incoming_of({**evolution(told), "instance": "x" * 513})

    assert all(len(each) <= 512 for one in found for each in (one.sender, one.instance, *one.chat))
    assert len(found) == (name != "id")


def test_names_of_the_cloud_that_are_too_long() -> None:
    """So it is with what the Cloud API tells."""
    told = [cloud_message(identity="x" * 513), {**cloud_message(), "from": "5" * 513}]
    (found,) = incoming_of(cloud(messages=told))

    assert (found.message_id, found.sender, found.chat) == ("wamid.HBgMNTUxMTk=", "", ())


def test_a_message_of_many_parts() -> None:
    """A forged message is not looked through for its kind."""
    told = {**record(), "messageType": None, "message": {str(n): 1 for n in range(99)}}
    told["message"]["imageMessage"] = {}
    (found,) = incoming_of(evolution(told))

    assert found.kind == "other"


@pytest.mark.parametrize(
    "told",
    [
        record(fromMe=True),
        record(remoteJid="status@broadcast"),
        record(remoteJid="120363020000000000@newsletter"),
        record(id=None),
        {"key": "3EB0"},
        {},
        None,
        "text",
        7,
    ],
)
def test_what_is_no_message_of_a_person(told: Any) -> None:
    """Our own messages, stories and channels, and what is broken begin nothing."""
    assert incoming_of(evolution(told)) == []


@pytest.mark.parametrize("event", ["connection.update", "messages.update", "", None, 7, ["x"]])
def test_other_events(event: Any) -> None:
    """Only one event brings messages."""
    assert incoming_of(evolution(record(), event)) == []


@pytest.mark.parametrize(
    "message",
    [
        {"protocolMessage": {"key": {"id": "X"}, "type": "REVOKE"}, "messageContextInfo": {}},
        {"editedMessage": {"message": {"protocolMessage": {"type": "MESSAGE_EDIT"}}}},
        {"ephemeralMessage": {"message": {"protocolMessage": {}}}},
        {"messageContextInfo": {}},
        {"senderKeyDistributionMessage": {}},
        {},
        [],
        None,
    ],
)
def test_messages_that_say_nothing(message: Any) -> None:
    """What deletes or edits an older message, and what is empty, begins nothing."""
    assert incoming_of(evolution({**record(), "message": message})) == []


def test_records_of_the_system() -> None:
    """Nor does a record of what has happened, such as that a message could not be read."""
    assert incoming_of(evolution({**record(), "messageStubType": 2})) == []
