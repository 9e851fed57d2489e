"""Who a message goes to, hidden: keyed hashes in the place of numbers, wherever they stand."""

from __future__ import annotations

import re
from base64 import b64decode

from otel_stream.redaction import hashed

__all__ = ["hidden", "hidden_id", "hidden_instance", "number_in", "number_of"]

_LONGEST_ID = 128
_NUMBER = re.compile(r"\d{8,}")
# The Cloud API's message ids are Base64 with the person's number in it.
_SPEAKING = "wamid."


def number_of(recipient: object) -> str:
    """The digits of a phone number, or of a JID: `number[:device]@server`."""
    number = str(recipient or "").partition("@")[0].partition(":")[0]
    return "".join(character for character in number if character.isdigit())


def number_in(message_id: str) -> str:
    """The number that an id of the Cloud API speaks of; "" where it speaks of none."""
    if not message_id.startswith(_SPEAKING):
        return ""
    try:
        said = b64decode(message_id[len(_SPEAKING) :] + "==")
    except ValueError:
        return ""
    found = _NUMBER.search(said.decode("latin-1"))
    return found.group() if found else ""


def hidden(recipient: object) -> str:
    """A keyed hash of a number or JID: the same for all ways to write one number; "" for none."""
    name = number_of(recipient) or str(recipient or "")
    return hashed(name) if name else ""


def hidden_id(message_id: object, recipient: object = "") -> str:
    """A message's id as it may leave: hashed where it holds a number."""
    text = str(message_id or "")
    if text.startswith(_SPEAKING):
        return _SPEAKING + hashed(text)
    if (number := number_of(recipient)) and number in text:
        return text.replace(number, hashed(number))[:_LONGEST_ID]
    return text[:_LONGEST_ID]


def hidden_instance(name: object) -> str:
    """A channel's instance, which some people name after its number."""
    return _NUMBER.sub(lambda found: hashed(found.group()), str(name or ""))
