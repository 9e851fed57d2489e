"""Keys and phone numbers that must not leave: scrubbed from error texts, hashed in attributes."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from functools import cache

from otel_stream.attributes import encodable

__all__ = ["LONGEST", "hashed", "one_number", "scrub", "without_numbers"]

# Providers repeat the key in "incorrect API key" answers; proxies echo headers.
_SECRET = re.compile(
    r"""\b(?:sk|pk|rk|xai|gsk|r8|hf|pplx|nvapi)[-_][\w*.-]{6,}
      | \bAIza[\w-]{10,}
      | (?i:\b(?:api[-_ ]?key|authorization)(?:\s+provided)?["']?\s*[:=]\s*["']?
            (?:bearer\s+|basic\s+)?)[\w+/=*.~-]{6,}
      | (?i:\bbearer\s+)[\w+/=*.~-]{6,}
      | (?i:\bbasic\s+)(?=\S*[A-Z0-9=])[\w+/=*.~-]{6,}
    """,
    re.VERBOSE,
)
# As people and channels write them. A time or an id that looks like one goes too.
_PHONE = re.compile(
    r"""\bwamid\.[\w+/=-]+  # an id of the Cloud API: Base64 with the person's number in it
      | \b\d{8,}(?:-\d+)?(?::\d+)?@(?:s\.whatsapp\.net|[cg]\.us|lid)\b
      | \+\d[\d ().-]{6,}\d
      | \(\d{2,3}\)[ ]?\d{4,5}[- ]?\d{4}\b
      | (?<![\w.-])\d{10,15}(?![\w-]|\.\d)
    """,
    re.VERBOSE,
)
LONGEST = 4096
"""Characters of a text that are looked at and kept."""


def scrub(text: str) -> str:
    """`text` without what looks like a key, a token or a phone number, cut to 4,096 characters."""
    return _PHONE.sub("[number]", _SECRET.sub("[secret]", encodable(text[:LONGEST])))


def hashed(value: str) -> str:
    """A keyed hash (HMAC-SHA-256, 16 bytes as hex) of something personal, such as a phone number.

    The key is `OTEL_STREAM_HASH_KEY`; without it one is made for each process, and hashes can be
    compared within that process only.
    """
    return hmac.new(_key(), value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


# One digit that some write and some do not, the Evolution API among them: the ninth of Brazil's
# mobile numbers that once had eight, and Mexico's and Argentina's sign for a mobile.
_OPTIONAL = re.compile(
    r"(?<=^55[0-9]{2})9(?=[6-9][0-9]{7}$)|(?<=^52)1(?=[0-9]{10}$)|(?<=^54)9(?=[0-9]{10}$)"
)


def one_number(digits: str) -> str:
    """A phone number (digits, with the country's code), the same for all ways to write it."""
    return _OPTIONAL.sub("", digits)


# People write signs in their numbers. A UUID may hold eight digits in a row, and is nobody's.
_NUMBER = re.compile(
    r"(?P<uuid>[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12})|\+?\d[\d ().-]{6,}\d"
)
_PLAIN = re.compile(r"\d{8,}")
_WHOLE = 10
"""Digits of a number that is written with signs; fewer are more often a date."""


def without_numbers(name: str) -> str:
    """A name of somebody's choice, such as a session's, with a keyed hash for each phone number."""
    return _NUMBER.sub(_hidden, encodable(name))


def _hidden(found: re.Match[str]) -> str:
    """The same hash for all ways to write one number."""
    if found["uuid"]:
        return found[0]
    digits = re.sub(r"\D", "", found[0])
    if len(digits) >= _WHOLE:
        return hashed(one_number(digits))
    return _PLAIN.sub(lambda run: hashed(run[0]), found[0])


@cache
def _key() -> bytes:
    given = os.environ.get("OTEL_STREAM_HASH_KEY")
    return given.encode() if given else secrets.token_bytes(32)
