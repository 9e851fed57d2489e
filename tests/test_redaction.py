"""Keys and numbers that must not leave."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream import redaction
from otel_stream.redaction import hashed, one_number, scrub, without_numbers

PHONE = "5511999990000"


@pytest.fixture
def fresh_key() -> Iterator[None]:
    """The key is read anew in this test, and after it."""
    redaction._key.cache_clear()
    yield
    redaction._key.cache_clear()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Incorrect API key provided: sk-proj-abc123DEF456.", "abc123DEF456"),
        ("Incorrect API key provided: sk-ab***********wxyz.", "wxyz"),
        ("Incorrect API key provided: 0123456789abcdef.", "0123456789abcdef"),
        ("key sk-ant-api03-AbC_dEf-123456 is invalid", "AbC_dEf"),
        ("xai-abcdefghijkl was revoked", "abcdefghijkl"),
        ("gsk_abcdefghijkl", "abcdefghijkl"),
        ("AIzaSyA-1234567890abcdef", "SyA-1234567890"),
        ("Authorization: Bearer abcdef.ghi-jkl_mno", "abcdef"),
        ('{"authorization": "Bearer abcdefghi"}', "abcdefghi"),
        ("headers: {'x-api-key': 'abcdefghi'}", "abcdefghi"),
        ("https://host/v1?api_key=abcdefghi&x=1", "abcdefghi"),
        ("Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
        ("api-key=0123456789abcdef", "0123456789abcdef"),
        ("BEARER ABCDEFGHIJ", "ABCDEFGHIJ"),
        ("OPENAI_API_KEY=abcdefghi", "abcdefghi"),
        ("/v1?access_token=EAAGabcdefghi&x=1", "abcdefghi"),
        ("{'instance_token': 'abcdefghi'}", "abcdefghi"),
        ("refreshToken: abcdefghi", "abcdefghi"),
        ("the session of EAAGm0PX4ZCpsBAKZCZD has expired", "m0PX4ZCpsBAKZCZD"),
        ("https://user:abcdefghi@host/v1", "abcdefghi"),
    ],
)
def test_secrets(text: str, secret: str) -> None:
    """What looks like a key or token is taken out of a text."""
    assert secret in text
    assert secret not in scrub(text)
    assert "[secret]" in scrub(text)


@pytest.mark.parametrize(
    "written", [PHONE, f"+{PHONE}", "+55 11 99999-0000", "55 (11) 99999.0000", "55-11-99999-0000"]
)
def test_numbers_in_names(written: str) -> None:
    """A session that is named after a number has one hash, however the number is written."""
    assert without_numbers(f"chat_{written}") == f"chat_{hashed(one_number(PHONE))}"


@pytest.mark.parametrize(
    "name", ["run 2024-05-01", "v1.2.3", "12345678-1234-4234-8234-123456789012", "", "5511"]
)
def test_names_without_numbers(name: str) -> None:
    """Dates, versions and UUIDs are nobody's number."""
    assert without_numbers(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "no WhatsApp account: 5511999990000@s.whatsapp.net",
        "jid 5511999990000:12@s.whatsapp.net is not there",
        "the group 5511999990000-1612345678@g.us is closed",
        "call +5511999990000 instead",
        "number=5511999990000 not found",
        "{'number': '5511999990000'}",
        "wa_id: 5511999990000.",
        "+55 11 99999-0000 is not there",
        "ask (11) 99999-0000",
        "55 11 99999-0000 is not there",
        "55.11.99999.0000",
        "55\u00a011\u00a099999\u20110000",
        "session whatsapp_5511999990000 not found",
        "whatsapp_5511999990000@s.whatsapp.net",
        "chat5511999990000",
        "5511999990000_1",
        "5511999990000.json",
        "jid_11990000@lid",
        "05511999990000 and 0611990000",
        "token 55 11 99999-0000 at 2026-11-21 10:00:01",
    ],
)
def test_numbers(text: str) -> None:
    """A phone number or JID, however it is written, is taken out of an error's text."""
    left = scrub(text)

    assert "[number]" in left
    assert "0000" not in left


def test_ids_that_speak_of_a_number() -> None:
    """An id of the Cloud API, which is Base64 with the number in it, is taken out too."""
    assert scrub("no wamid.HBgNNTUxMTk5OTk5MDAwMBUCABEYEjA= here") == "no [number] here"


@pytest.mark.parametrize(
    "text",
    [
        "after 1795301699.123 s, line 20481 of 99999",
        "req_0123456789abcdef and 3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "Object at 0x7f1234567890, build 2026-11-21",
        "12345678-1234-4234-8234-123456789012 of 0af7651916cd43dd8448eb2111180319",
        "2026-11-21 10:00:01,123 and 2026-11-21T10:00:01.123456Z",
        "cannot connect to 192.168.100.200:8080",
        "0.30000000000000004 is 3.0000000000000001 times 1e-05",
        'File "/app/bot_2026.py", line 118, in handle',
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    """Times with a fraction, ids of letters and digits, addresses and dates are kept."""
    assert scrub(text) == text


@given(
    st.from_regex(r"[1-9][0-9]{9,14}", fullmatch=True),
    st.text(st.characters(exclude_categories=["N"]), max_size=12),
    st.text(st.characters(exclude_categories=["N"]), max_size=12),
)
def test_numbers_wherever_they_stand(number: str, before: str, after: str) -> None:
    """A number goes, whatever letters and signs it is glued to."""
    assert number not in scrub(f"{before}{number}{after}")


PIECES = st.sampled_from(
    ["1", "0", "5", "a", "f", "x", "0x", "-", ".", " ", "(", ")", "+", "_", ":", "@", "=", "/", "E",
     "1.1", "2024-01-01", "3fa85f64-", "token", "api key", "Bearer ", "basic ", "sk-", "EAA", "://",
     "wamid.", "@lid", "@c.us", "\n", "\u00a0"]
)  # fmt: skip
SOME = st.lists(PIECES, min_size=1, max_size=5).map("".join)


@given(SOME, SOME, SOME)
def test_in_linear_time(before: str, again: str, after: str) -> None:
    """Whatever is repeated in a text, to look at it takes milliseconds."""
    text = before + (again * 4_096)[: 4_096 - len(before + after)] + after
    began = time.thread_time()
    scrub(text)

    assert time.thread_time() - began < 0.1


@pytest.mark.parametrize("kept", range(2, 13))
def test_a_number_that_is_cut(kept: int) -> None:
    """Half a number at the end of a text that is cut goes as well."""
    assert "5" not in scrub("x" * (4_096 - kept) + PHONE)


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for gpt-5-mini in organization org on tokens per min.",
        "the task-force asked for a risk-free, basic answer",
        "Request timed out after 600 seconds",
        "invalid api key",
        "",
    ],
)
def test_other_text_stays(text: str) -> None:
    """What does not is left as it is."""
    assert scrub(text) == text


def test_long_text() -> None:
    """An error page as a message is cut, in linear time."""
    assert len(scrub("sk-" * 1_000_000)) <= 4096


@given(st.text())
def test_any_text(text: str) -> None:
    """Any text can be scrubbed."""
    assert isinstance(scrub(text), str)


def test_hash_tells_nothing() -> None:
    """A phone number's hash does not hold the number, nor its plain hash (S3-17)."""
    found = hashed(PHONE)

    assert len(found) == 32
    assert PHONE not in found
    assert not hashlib.sha256(PHONE.encode()).hexdigest().startswith(found)


def test_hash_is_stable() -> None:
    """One number has one hash, another has another."""
    assert hashed(PHONE) == hashed(PHONE) != hashed(PHONE + "1")


def test_hash_by_the_given_key(monkeypatch: pytest.MonkeyPatch, fresh_key: None) -> None:
    """With a key of one's own, hashes can be compared between processes."""
    monkeypatch.setenv("OTEL_STREAM_HASH_KEY", "pepper")
    expected = hmac.new(b"pepper", PHONE.encode(), hashlib.sha256).hexdigest()[:32]

    assert hashed(PHONE) == expected


def test_key_of_a_process() -> None:
    """Without one each process has its own key, so that a number cannot be looked up."""
    code = f"from otel_stream.redaction import hashed; print(hashed({PHONE!r}))"
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)

    assert len(other.stdout.strip()) == 32
    assert other.stdout.strip() != hashed(PHONE)


def test_lone_surrogate() -> None:
    """A text that cannot be encoded has a hash too."""
    assert len(hashed("\ud83d")) == 32
