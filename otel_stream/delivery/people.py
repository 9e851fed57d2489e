"""Who waits for an answer: one person or a group, by all the names that are known."""

from __future__ import annotations

from otel_stream.delivery.identity import number_of, person_of

__all__ = ["People"]

_KINDS = {"g.us": "group", "lid": "lid", "hosted.lid": "lid"}
"""Servers of JIDs that are no phone numbers."""


class People:
    """Those who wait for the answer of one turn.

    Attributes:
        first: The first name that was known: a number or JID, in the clear, never for a signal.
    """

    def __init__(self) -> None:
        self.first = ""
        self._names: dict[str, str] = {}

    def add(self, name: str) -> None:
        """One of them has this name too."""
        if name:
            self.first = self.first or name
            self._names[person_of(name)] = _kind(name)

    def may_include(self, recipient: object) -> bool:
        """Whether it is one of them, or nobody can tell.

        A name says that it is somebody else only where they have one of its kind: WhatsApp knows
        the same person by a number and by an id that has nothing to do with it.
        """
        if not recipient or not self._names or person_of(recipient) in self._names:
            return True
        kind = _kind(recipient)
        return kind != "group" and kind not in self._names.values()


def _kind(name: object) -> str:
    server = str(name).partition("@")[2]
    return _KINDS.get(server) or ("number" if number_of(name) else "other")
