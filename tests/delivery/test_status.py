"""What channels tell later of a message."""

from __future__ import annotations

from typing import Any

import pytest

from otel_stream.delivery.status import Status, Told, statuses_of
from tests.delivery.bodies import NUMBER, cloud, cloud_status, evolution, update

JID = f"{NUMBER}@s.whatsapp.net"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SERVER_ACK", Status.SENT),
        ("DELIVERY_ACK", Status.DELIVERED),
        ("READ", Status.READ),
        ("PLAYED", Status.READ),
        ("ERROR", Status.FAILED),
        (0, Status.FAILED),
        (2, Status.SENT),
        (3, Status.DELIVERED),
        (4, Status.READ),
        (5, Status.READ),
    ],
)
@pytest.mark.parametrize("version", ["v2", "v2 list", "v1 flat", "v1 nested"])
def test_of_evolution(word: Any, status: Status, version: str) -> None:
    """Evolution's words and numbers, in the shapes of both versions."""
    key = {"remoteJid": JID, "fromMe": True, "id": "BAE5"}
    body = {
        "v2": update("BAE5", word),
        "v2 list": evolution([update("BAE5", word)["data"]], "messages.update"),
        "v1 flat": evolution({**key, "status": word, "owner": "testonho"}, "messages.update"),
        "v1 nested": evolution([{"key": key, "update": {"status": word}}], "MESSAGES_UPDATE"),
    }[version]

    assert statuses_of(body) == [Told(message_id="BAE5", status=status, recipient=JID)]


@pytest.mark.parametrize(
    ("word", "status"),
    [("sent", Status.SENT), ("delivered", Status.DELIVERED), ("read", Status.READ),
     ("played", Status.READ), ("failed", Status.FAILED)],
)  # fmt: skip
def test_of_the_cloud(word: str, status: Status) -> None:
    """The Cloud API's statuses, with their time."""
    told = Told(message_id="wamid.A", status=status, at=1741001372.0, recipient=NUMBER)

    assert statuses_of(cloud(statuses=[cloud_status("wamid.A", word)])) == [told]


def test_failures_and_trackers() -> None:
    """Why it failed by its number, and what the message carried."""
    status = cloud_status(
        "wamid.A",
        "failed",
        errors=[{"code": 131026, "title": "Message undeliverable"}],
        biz_opaque_callback_data="otel1;…",
    )
    (told,) = statuses_of(cloud(statuses=[status]))

    assert (told.code, told.tracker) == ("131026", "otel1;…")


def test_codes_in_words() -> None:
    """A code that is told as a text of digits is one."""
    status = cloud_status("wamid.A", "failed", errors=[{"code": "131026"}])
    (told,) = statuses_of(cloud(statuses=[status]))

    assert told.code == "131026"


@pytest.mark.parametrize(
    "errors",
    [[], None, "x", [7], [{"code": None}], [{"code": "x" * 99}],
     [{"code": "Ana"}], [{"code": "5511999990000"}], [{"code": 5511999990000}], [{"code": True}],
     [{"code": -1}], [{"code": 10**5_000}], [{"code": "\u0663"}], [{"code": 1.5}]],
)  # fmt: skip
def test_failures_without_a_code(errors: Any) -> None:
    """A failure that says nothing, or what is no number of a fault, is one all the same."""
    (told,) = statuses_of(cloud(statuses=[cloud_status("wamid.A", "failed", errors=errors)]))

    assert (told.status, told.code) == (Status.FAILED, "")


@pytest.mark.parametrize(
    ("time", "at"),
    [("1741001372", 1741001372.0), (1741001372, 1741001372.0), ("", None), (None, None),
     ("nan", None), ("inf", None), ("-5", None), ("9" * 5_000, None), (10**400, None), ([], None)],
)  # fmt: skip
def test_times(time: Any, at: float | None) -> None:
    """A time is one, or it is none."""
    (told,) = statuses_of(cloud(statuses=[cloud_status("wamid.A", "sent", timestamp=time)]))

    assert told.at == at


@pytest.mark.parametrize(
    "body",
    [
        update("BAE5", "PENDING"),
        update("BAE5", 1),
        update("BAE5", True),
        update("BAE5", None),
        update("BAE5", "READ", fromMe=False),
        update("", "READ"),
        update("x" * 513, "READ"),
        update("BAE5", ["READ"]),
        evolution({"keyId": {"id": "x"}, "status": "READ"}, "messages.update"),
        evolution({"key": "x", "update": "READ"}, "messages.update"),
        evolution({"key": {"id": "BAE5"}, "update": {"pollUpdates": []}}, "messages.update"),
        cloud(statuses=[cloud_status("wamid.A", "deleted")]),
        cloud(statuses={"id": "wamid.A"}),
        {"entry": [{"changes": [{"value": None}]}]},
        None,
        [],
        "messages.update",
    ],
)
def test_what_is_no_status_of_ours(body: Any) -> None:
    """What says nothing, or is of a person's own message, is passed over."""
    assert statuses_of(body) == []


def test_what_is_too_long_is_left_out() -> None:
    """What a forged webhook carries is not kept, however long."""
    status = cloud_status("wamid.A", "sent", biz_opaque_callback_data="x" * 600, recipient_id=[])
    (told,) = statuses_of(cloud(statuses=[status]))

    assert (told.tracker, told.recipient) == ("", "")
