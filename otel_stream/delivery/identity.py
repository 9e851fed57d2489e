"""Who a message goes to, hidden: keyed hashes in the place of numbers, wherever they stand."""

from __future__ import annotations

import re
from base64 import b64decode

from otel_stream.attributes import encodable
from otel_stream.redaction import hashed, one_number, without_numbers

__all__ = [
    "hidden",
    "hidden_id",
    "hidden_instance",
    "number_in",
    "number_of",
    "person_of",
    "same_instance",
    "word",
]

_LONGEST = 128
_SHORTEST_NUMBER = 8
_NUMBER = re.compile(r"[0-9]{8,}")
_NUMBER_ALONE = re.compile(r"(?<![0-9A-Za-z])[0-9]{8,}(?![0-9A-Za-z])")
# What begins with "-" is none: groups have such ids elsewhere.
_WRITTEN = re.compile(r"[+(0-9][\s()./0-9-]*")
_SHORTEST_WRITTEN = 7
_WORD = re.compile(r"[\w.:/-]+(?: [\w.:/-]+){0,3}", re.ASCII)
_LONGEST_WORD = 64
# The Cloud API's message ids are Base64 with the person's number in it.
_SPEAKING = "wamid."


def number_of(recipient: object) -> str:
    """The digits of a phone number, or of a JID: `number[:device]@server`; "" for another name."""
    written = _before_server(recipient).strip()
    digits = _digits(written)
    return digits if len(digits) >= _SHORTEST_WRITTEN and _WRITTEN.fullmatch(written) else ""


def number_in(message_id: str) -> str:
    """The number that an id of the Cloud API speaks of; "" where it speaks of none."""
    if not message_id.startswith(_SPEAKING):
        return ""
    found = _NUMBER.search(_decoded(message_id[len(_SPEAKING) :]))
    return found.group() if found else ""


def person_of(recipient: object) -> str:
    """Who it is, in the clear: the same for all ways to write one number."""
    return one_number(number_of(recipient)) or str(recipient or "")


def same_instance(one: str | None, other: str | None) -> bool:
    """Whether these are one instance of a channel, or either side does not say which."""
    return not one or not other or one == other


def hidden(recipient: object) -> str:
    """A keyed hash of a number or JID: the same for all ways to write one number; "" for none."""
    person = person_of(recipient)
    return hashed(person) if person else ""


def hidden_id(message_id: object, recipient: object = "") -> str:
    """A message's id as it may leave: hashed where it holds a number, however it is written."""
    text = str(message_id or "")
    if text.lower().startswith(_SPEAKING):
        return _SPEAKING + hashed(text)
    if _NUMBER_ALONE.search(text) or _speaks_of(text, _digits(_before_server(recipient))):
        return hashed(text)
    return encodable(text[:_LONGEST])


def hidden_instance(name: object) -> str:
    """A channel's instance, which some people name after its number."""
    return without_numbers(str(name or ""))[:_LONGEST]


def word(code: object) -> str:
    """A channel's code for what went wrong, if it is one: short, and no number of a person in it.

    It stands on metrics too, where free text has no place. "" for anything else.
    """
    text = str(code or "").strip()
    if len(text) > _LONGEST_WORD or not _WORD.fullmatch(text):
        return ""
    return text if len(_digits(text)) < _SHORTEST_NUMBER else ""


def _speaks_of(text: str, number: str) -> bool:
    """Whether eight digits of `number` in a row are in `text`, plain or in Base64."""
    if len(number) < _SHORTEST_NUMBER:
        return len(number) > 3 and number in text
    last = len(number) - _SHORTEST_NUMBER + 1
    parts = {number[at : at + _SHORTEST_NUMBER] for at in range(last)}
    # A row of zeros is in many an id, and tells nobody's number.
    parts = {part for part in parts if len(set(part)) > 2} or parts
    said = (_digits(_before_server(text)), _digits(text), _decoded(text))
    return any(part in each for each in said for part in parts)


def _before_server(name: object) -> str:
    return str(name or "").partition("@")[0].partition(":")[0]


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def _decoded(text: str) -> str:
    """What `text` says as Base64, by characters; "" if it is none."""
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode("latin-1")
    except ValueError:
        return ""
