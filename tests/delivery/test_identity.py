"""No number leaves: hashes stand in its place, wherever it was written."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream.delivery.identity import (
    hidden,
    hidden_id,
    hidden_instance,
    number_in,
    number_of,
    word,
)
from otel_stream.redaction import hashed, one_number, without_numbers

NUMBERS = st.from_regex(r"[1-9][0-9]{9,14}", fullmatch=True)
AROUND = st.text(st.sampled_from("ABCdef0123456789-_.: /@\u00e9\ud800"), max_size=20)
SERVERS = st.sampled_from(["", "@s.whatsapp.net", "@lid", ":17@s.whatsapp.net", "@c.us"])


def tells(text: str, number: str) -> bool:
    """Whether eight digits of *number* in a row are in *text*, plain or in Base64."""
    said = [text]
    for part in text.split("."):
        try:
            said.append(base64.b64decode(part + "=" * (-len(part) % 4)).decode("latin-1"))
        except ValueError:
            continue
    runs = [number[at : at + 8] for at in range(len(number) - 7)]
    return any(run in each for each in said for run in runs)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("5511999990000", "5511999990000"),
        ("+55 (11) 99999-0000", "5511999990000"),
        ("5511999990000@s.whatsapp.net", "5511999990000"),
        ("5511999990000:17@s.whatsapp.net", "5511999990000"),
        ("status@broadcast", ""),
        ("٥٥١١²", ""),
        ("", ""),
        (None, ""),
        (5511999990000, "5511999990000"),
        (" 0221/123-4567 ", "02211234567"),
        ("ana.7@mail.com", ""),
        ("U7BOB", ""),
        ("5511", ""),
        ("-1001234567890", ""),
        ("user 5511999990000", ""),
    ],
)
def test_numbers(written: object, number: str) -> None:
    """A number is the same however it is written, and only plain digits are one."""
    assert number_of(written) == number


@given(NUMBERS, SERVERS)
def test_one_hash_for_one_person(number: str, server: str) -> None:
    """All names of one number have one hash, in which the number is not."""
    assert hidden(number + server) == hidden(f"+{number}") == hashed(one_number(number))
    assert not tells(hidden(number + server), number)


def test_names_that_are_no_numbers() -> None:
    """People of other channels are told apart by their whole names, whatever digits are in them."""
    names = ["ana.7@mail.com", "U7BOB", "7", "bob@7", "C07-general", "-1001234567890"]

    assert len({hidden(name) for name in names}) == len(names)
    assert hidden("ana.7@mail.com") == hashed("ana.7@mail.com")


@pytest.mark.parametrize("recipient", ["ana-5511999990000", "x5511:1@lid"])
def test_no_id_tells_the_digits_of_a_name(recipient: str) -> None:
    """Digits of a name that is no number are found in an id too."""
    digits = recipient.partition(":")[0].lstrip("anx-")

    assert hidden_id(f"A{digits}B", recipient) == hashed(f"A{digits}B")


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("5531987654321", "553187654321"),  # Brazil's ninth digit
        ("5511967654321", "551167654321"),
        ("5215512345678", "525512345678"),  # Mexico's mobiles
        ("5491112345678", "541112345678"),  # Argentina's
    ],
)
def test_one_hash_for_two_ways_to_write_a_number(long: str, short: str) -> None:
    """A digit that the Evolution API leaves out, or the network, makes nobody a second person."""
    assert hidden(f"{long}@s.whatsapp.net") == hidden(short) == hashed(short)
    assert without_numbers(f"+{long}") == hidden(short)


@pytest.mark.parametrize(
    "number",
    [
        "5511951234567",  # a mobile that never had eight digits: without its ninth a landline
        "551131234567",
        "521234567890",
        "4915123456789",
    ],
)
def test_numbers_of_which_nothing_is_left_out(number: str) -> None:
    """Every other number is hashed as it is."""
    assert hidden(number) == hashed(number)


@given(NUMBERS, AROUND, AROUND, SERVERS)
def test_no_id_tells_a_number(number: str, before: str, after: str, server: str) -> None:
    """An id that holds the recipient's number leaves as a hash, wherever the number stands."""
    shown = hidden_id(f"{before}{number}{after}", number + server)

    assert not tells(shown, number)
    assert len(shown) <= 128
    shown.encode()


@given(NUMBERS, st.binary(max_size=6), st.binary(max_size=6), st.booleans())
def test_no_id_tells_a_number_in_base64(
    number: str, before: bytes, after: bytes, marked: bool
) -> None:
    """Nor does one that has it in Base64, as those of the Cloud API do."""
    inside = base64.b64encode(before + number.encode() + after).decode()
    text = f"wamid.{inside}" if marked else inside

    assert not tells(hidden_id(text, number), number)


@given(NUMBERS, st.sampled_from(["", "_", "true_", "to:"]), st.sampled_from(["", "_A", "@c.us_3"]))
def test_numbers_of_unknown_people(number: str, before: str, after: str) -> None:
    """A number that stands by itself in an id is hidden also where nobody says whose it is."""
    assert not tells(hidden_id(before + number + after), number)


@given(NUMBERS, AROUND, AROUND)
def test_no_instance_tells_a_number(number: str, before: str, after: str) -> None:
    """An instance that is named after its number leaves with a hash in its place."""
    shown = hidden_instance(f"{before}{number}{after}")

    assert not tells(shown, number)
    shown.encode()


def test_numbers_written_with_signs() -> None:
    """Signs within the number do not keep it from being found."""
    assert hidden_instance("+55 (11) 99999-0000") == hashed(one_number("5511999990000"))
    assert hidden_id("a-55 11 99999 0000", "5511999990000") == hashed("a-55 11 99999 0000")


@pytest.mark.parametrize("identity", ["3EB0C767D26A1B2C3D4E", "BAE5C00000000012", "ID1", ""])
def test_ids_that_tell_nothing(identity: str) -> None:
    """Ids of Evolution and the like stand as they are: people search for them."""
    assert hidden_id(identity, "5511999990000") == identity


def test_zeros_are_nobodys_number() -> None:
    """An id that counts has zeros in a row, as some numbers have: it stands."""
    assert hidden_id("BAE5000000000001", "5511900000001") == "BAE5000000000001"


def test_hashes_of_one_id_are_equal() -> None:
    """The id of a message is the same on the span of its sending and on that of its receipt."""
    inside = base64.b64encode(b"\x1c\x18\x0d5511999990000\x15\x02").decode()
    number, jid = "5511999990000", "5511999990000@s.whatsapp.net"

    assert number_in(f"wamid.{inside}") == number
    assert hidden_id(f"wamid.{inside}", number) == hidden_id(f"wamid.{inside}", jid)
    assert hidden_id(f"wamid.{inside}") == hidden_id(f"wamid.{inside}", number)


@pytest.mark.parametrize("identity", ["wamid.", "wamid.!!", "wamid.AAAA", "3EB0", "wamid.\ud800"])
def test_ids_that_speak_of_nobody(identity: str) -> None:
    """Whatever stands in an id, asking it for a number raises nothing."""
    assert number_in(identity) == ""


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("Bad Request", "Bad Request"),
        (131026, "131026"),
        ("rate-limit:hit", "rate-limit:hit"),
        ("5511999990000", ""),
        ("no account 55 11 99999 0000", ""),
        ("The number that you have given is not on WhatsApp at all", ""),
        ("x" * 65, ""),
        ("{}", ""),
        (None, ""),
    ],
)
def test_words(code: object, kept: str) -> None:
    """What stands on metrics is a word: no sentence, and no number of somebody."""
    assert word(code) == kept
