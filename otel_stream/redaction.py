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

# Providers repeat the key in "incorrect API key" answers; proxies echo headers, and errors URLs.
_SECRET = re.compile(
    r"""\b(?:
            (?:sk|pk|rk|xai|gsk|r8|hf|pplx|nvapi)[-_][\w*.-]{6,}
          | AIza[\w-]{10,}
          | (?i:bearer\s+)[\w+/=*.~-]{6,}
          | (?i:basic\s+)(?=\S*[A-Z0-9=])[\w+/=*.~-]{6,}
        )
      | (?=[aAtTE:])(?:
            (?i:api[-_ ]?key|authorization|token)(?i:\s+provided)?["']?\s*+[:=]\s*+["']?
                (?i:bearer\s+|basic\s+)?[\w+/=*.~-]{6,}
          | (?<![^\W_])EAA[A-Za-z0-9]{10,}  # Meta's
          | ://[^/@\s]+@
        )""",
    re.VERBOSE,
)
_SIGNS = r"[ ().\u00a0\u202f\u2010-\u2013-]{0,3}"
"""What people write between the digits of a number."""
_ID = r"""(?<![^\W_])(?:
    [\da-fA-F]{8}-[\da-fA-F]{4}-[1-8][\da-fA-F]{3}-[89abAB][\da-fA-F]{3}-[\da-fA-F]{12}
  | (?=\d{0,31}[a-f])[\da-f]{32}(?:[\da-f]{8}|[\da-f]{32})?
  | 0x[\da-fA-F]{4,16}
)(?![^\W_])"""
"""A UUID, a trace or digest, an address in memory."""
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_FIGURE = rf"""(?<![\d.])(?:
    (?:19|20)\d\d-[01]\d-[0-3]\d(?![\d.-])
  | (?:\d\.\d++|\d{{1,10}}+\.\d{{1,6}}+)(?!{_SIGNS}\d)
  | (?:{_BYTE}\.){{3}}{_BYTE}(?!{_SIGNS}\d)
)"""
"""A date, a decimal, an address on the network."""
# As people and channels write them, whatever they are glued to. What is surely something else is
# found first, and kept; any other time or id that looks like a number goes too.
_PHONE = re.compile(
    rf"""(?=[\da-fA-FwW+(])(?:  # of most characters no more need be looked at
        (?P<kept>{_ID}|(?=\d){_FIGURE})
      | (?i:wamid)\.[\w+/=-]+  # an id of the Cloud API: Base64 with the person's number in it
      | (?<!\d)\d{{8,}}+(?:-\d++)?(?::\d++)?@(?:s\.whatsapp\.net|[cg]\.us|lid)\b
      | \+\d(?:{_SIGNS}\d){{6,}}
      | \(?(?!0\d{{9}}[a-f])\d(?:{_SIGNS}\d){{9,}}
    )""",
    re.VERBOSE,
)
_IN_NUMBERS = "0123456789+() .-"
LONGEST = 4096
"""Characters of a text that are looked at and kept."""


def scrub(text: str) -> str:
    """`text` without what looks like a key, a token or a phone number, cut to 4,096 characters."""
    looked_at = text[:LONGEST]
    if len(text) > LONGEST:  # Half a number would not look like one.
        looked_at = looked_at.rstrip(_IN_NUMBERS)
    return _PHONE.sub(_kept, _SECRET.sub("[secret]", encodable(looked_at)))[:LONGEST]


def _kept(found: re.Match[str]) -> str:
    return found["kept"] or "[number]"


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
