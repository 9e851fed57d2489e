"""Who waits for an answer, and who is somebody else for certain."""

from __future__ import annotations

import pytest

from otel_stream.delivery.people import People
from tests.delivery.bodies import NUMBER

JID = f"{NUMBER}@s.whatsapp.net"
OTHER = "5521888880000"
LID = "270123456789012@lid"
GROUP = "120363020000000000@g.us"


def people(*names: str) -> People:
    """Those who have these names."""
    found = People()
    for name in names:
        found.add(name)
    return found


@pytest.mark.parametrize(
    ("names", "recipient"),
    [
        ([JID], "+55 (11) 99999-0000"),
        ([LID, JID], NUMBER),
        ([LID, JID], LID),
        ([GROUP, JID], GROUP),
        ([GROUP, JID], NUMBER),
        (["ana.7@mail.com"], "ana.7@mail.com"),
    ],
)
def test_those_who_wait(names: list[str], recipient: str) -> None:
    """They are found by each of their names, however it is written."""
    assert people(*names).may_include(recipient)


@pytest.mark.parametrize(
    ("names", "recipient"),
    [
        ([JID], OTHER),
        ([LID, JID], OTHER),
        ([LID], "270999999999999@lid"),
        ([GROUP, JID], OTHER),
        ([JID], GROUP),
        (["ana.7@mail.com"], "U7BOB"),
    ],
)
def test_somebody_else(names: list[str], recipient: str) -> None:
    """Whoever has another name of a kind that is known of them is somebody else."""
    assert not people(*names).may_include(recipient)


@pytest.mark.parametrize(
    ("names", "recipient"),
    [
        ([], OTHER),
        ([JID], ""),
        ([JID], LID),
        ([LID], NUMBER),
        ([GROUP, LID], NUMBER),
        ([JID], "conversation-17"),
    ],
)
def test_where_nobody_can_tell(names: list[str], recipient: str) -> None:
    """A number and an id that has nothing to do with it may be one person's."""
    assert people(*names).may_include(recipient)


def test_the_first_name() -> None:
    """The first name that is no empty one is kept as it is."""
    assert (people("", JID, LID).first, people().first) == (JID, "")
