"""A gateway lets no content, phone number or key through, whatever an application sends."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from stack.made.programs import Programs
from stack.servers.collector import Collector
from stack.servers.fleet import HASH_KEY
from tests.stack import otlp
from tests.stack.received import AWAY

SECRETS = {
    "international": "+44 20 7946 0958",
    "international, joined": "+5511999998888",
    "German": "+49 170/1234567",
    "bare": "5511999998888",
    "national": "(415) 555-2671",
    "with a zero": "01701234567",
    "with a zero and a space": "0170 1234567",
    "with two zeros": "004917012345678",
    "Brazilian": "(11) 99999-8888",
    "Brazilian, bare": "11 99999-8888",
    "WhatsApp id": "5511999998888@s.whatsapp.net",
    "WhatsApp group": "120363025246125486@g.us",
    "OpenAI key": "sk-proj-abcDEF1234567890",
    "Google key": "AIzaSyA-1234567890abcdefg",
    "AWS key": "AKIAIOSFODNN7EXAMPLE",
    "GitHub token": "ghp_abcdefghij0123456789abcdefghij012345",
    "Hugging Face token": "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N",
    "header": "Authorization: Bearer abcdef123456",
    "short bearer": "Bearer abc123def456",
    "header without a colon": "X-Api-Key 0123456789abcdef",
    "assignment": 'api_key="abcdef123456"',
    "password": "password=hunter2hunter2",
    "in a query": "https://example.com/v1?key=abcdef123456",
    "in a URL": "https://me:hunter2hunter2@example.com",
}
SECRET = re.compile(r"hunter2hunter2|abcdef123456|abc123def456|0123456789abcdef")
"""What is secret in those that have more around it."""
HARMLESS = {
    "measured": 0.868852269999479,
    "model": "claude-haiku-4-5-20251001",
    "response": "chatcmpl-Bz3kQ9",
    "uuid": "8a6137be-c566-444a-879c-7fa1be8f777f",
    "uuid that ends in digits": "550e8400-e29b-41d4-a716-446655440000",
    "when": "2026-11-21T18:31:05.335Z",
    "day": "05/11/2026",
    "address": "192.168.100.20",
    "tokens": 123456,
    "thread.id": 140234567890123,
    "message.body.size": 12345678901,
    "job.created_at": 1763750000,
    "package": "sk-learn-model",
    "endpoint": "hf-inference-endpoint",
    "index": "pk_users_index",
    "sentence": "the answer came in 3 parts, basic authentication-required",
}
CONTENT = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content",
    "llm.input_messages.0.message.content",
    "input.value",
    "traceloop.entity.output",
    "langfuse.observation.input",
    "ai.prompt.messages",
    "tool_arguments",
    "gen_ai.response.text",
    "retrieval.documents.0.document.content",
)
WORD = "whispered"
"""Stands in all content, and nowhere else."""


class Gate:
    """A collector whose traces can be read as they leave it."""

    def __init__(self, collector: Collector, sink: Collector) -> None:
        self.collector = collector
        self.sink = sink

    def pass_through(self, signal: str, body: dict[str, Any]) -> str:
        """Send a request, and return what leaves in JSON once something has."""
        request = Request(
            f"{self.collector.http}/v1/{signal}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(request, timeout=10.0) as answer:
            assert answer.status == 200
        folder = self.sink.data if signal == "traces" else self.collector.data
        until = time.monotonic() + 20.0
        while time.monotonic() < until:
            found = "".join(path.read_text() for path in otlp.files(folder, signal))
            if body["mark"] in found:
                return next(line for line in found.splitlines() if body["mark"] in line)
            time.sleep(0.05)
        raise AssertionError(f"nothing with the mark {body['mark']} has left")


@pytest.fixture(scope="module", params=["gateway.yaml", "agent.yaml with privacy.yaml"])
def gate(
    request: pytest.FixtureRequest, programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    """Each configuration that has the privacy processors, with an agent behind it as a sink."""
    room = tmp_path_factory.mktemp("gate")
    sink = Collector(programs.collector(), room / "sink", variables=AWAY, name="sink")
    said = {
        "HASH_KEY": HASH_KEY,
        "TRACES_ENDPOINT": sink.http,
        "TRACES_INSECURE": "true",
        "INFLUXDB": "nop",
        "SHARE": "1.0",
    }
    configs = request.param.split(" with ")
    collector = Collector(programs.collector(), room / "tier", configs, said, name="tier")
    with sink.process, collector.process:
        yield Gate(collector, sink)


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """As OTLP JSON has them."""
    kinds = {str: "stringValue", float: "doubleValue", int: "intValue"}
    return [{"key": key, "value": {kinds[type(v)]: v}} for key, v in values.items()]


def a_span(mark: str, **parts: Any) -> dict[str, Any]:
    """A request with one span."""
    now = time.time_ns()
    span = {
        "traceId": mark.encode().hex().ljust(32, "0")[:32],
        "spanId": "00f067aa0ba902b7",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(now - 10**9),
        "endTimeUnixNano": str(now),
    } | parts
    span["attributes"] = span.get("attributes", []) + attributes({"mark": mark})
    return {"mark": mark, "resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def hashed(text: str) -> str:
    """The keyed hash of a text."""
    return hmac.new(HASH_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_number_or_a_key_is_hashed(gate: Gate, kind: str) -> None:
    """In a span's, an event's and a resource's attributes there is no number and no key."""
    held = attributes({"said": f"it is {SECRETS[kind]} you know", "alone": SECRETS[kind]})
    event = {"timeUnixNano": str(time.time_ns()), "name": "said", "attributes": held}
    mark = f"hashed {list(SECRETS).index(kind)}."
    body = a_span(mark, attributes=held, events=[event])
    body["resourceSpans"][0]["resource"] = {"attributes": held}
    body["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": "s", "attributes": held}

    left = gate.pass_through("traces", body)

    secret = SECRET.search(SECRETS[kind])
    assert (secret[0] if secret else SECRETS[kind]) not in left
    assert re.search(r"[0-9a-f]{64}", left)


@pytest.mark.parametrize("kind", ["international, joined", "WhatsApp id", "header"])
def test_the_same_text_has_the_same_hash_each_time(gate: Gate, kind: str) -> None:
    """However many of the patterns it fits, and in whichever attribute it stands."""
    held = attributes({f"attribute.{number}": SECRETS[kind] for number in range(40)})

    left = json.loads(gate.pass_through("traces", a_span(f"each {kind}", attributes=held)))

    [span] = otlp.spans([left]).values()
    assert len({v for k, v in span["attributes"].items() if k.startswith("attribute")}) == 1


def test_the_same_number_has_the_same_hash(gate: Gate) -> None:
    """A number's hash is HMAC-SHA256 with the key, so that who has the key can find it."""
    body = a_span("same", attributes=attributes({"to": "5511999998888", "text": "5511999998888!"}))

    left = gate.pass_through("traces", body)

    assert left.count(hashed("5511999998888")) == 2


def test_numbers_that_are_no_text_are_hashed_too(gate: Gate) -> None:
    """A phone number as an integer, or within a list, is hashed."""
    held = [
        {"key": "number", "value": {"intValue": "5511999998888"}},
        {"key": "all", "value": {"arrayValue": {"values": [{"stringValue": "+5511999998888"}]}}},
    ]

    left = gate.pass_through("traces", a_span("nested", attributes=held))

    assert "5511999998888" not in left


def test_names_and_messages_hold_no_number(gate: Gate) -> None:
    """A span's name, its status message and an event's name are masked."""
    event = {"timeUnixNano": str(time.time_ns()), "name": "to +5511999998888"}
    status = {"code": 2, "message": "refused: sk-proj-abcDEF1234567890"}
    body = a_span("names", name="send 5511999998888", status=status, events=[event])

    left = gate.pass_through("traces", body)

    assert "5511999998888" not in left
    assert "abcDEF1234567890" not in left
    assert left.count("****") == 3


def test_what_is_harmless_passes(gate: Gate) -> None:
    """Times, models, ids, addresses and counts are what they were."""
    body = a_span("harmless", attributes=attributes(HARMLESS))

    left = json.loads(gate.pass_through("traces", body))

    [span] = otlp.spans([left]).values()
    kept = {key: span["attributes"][key] for key in HARMLESS}
    assert kept == HARMLESS


def test_content_is_dropped(gate: Gate) -> None:
    """Messages, instructions and tool arguments go no further, by whatever tracer's names."""
    held = attributes({key: f"{WORD} in {key}" for key in CONTENT})
    event = {"timeUnixNano": str(time.time_ns()), "name": "gen_ai.choice", "attributes": held}
    body = a_span("content", attributes=held, events=[event])
    body["resourceSpans"][0]["resource"] = {"attributes": held}
    body["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": "s", "attributes": held}

    left = gate.pass_through("traces", body)

    assert WORD not in left


def test_log_records_hold_neither(gate: Gate) -> None:
    """The body of a GenAI event goes, and numbers and keys in other records are hashed."""
    now = str(time.time_ns())
    records = [
        {
            "timeUnixNano": now,
            "eventName": "gen_ai.choice",
            "body": {"stringValue": WORD},
            "attributes": attributes({"gen_ai.output.messages": WORD, "mark": "logged"}),
        },
        {"timeUnixNano": now, "body": {"stringValue": "called +5511999998888"}},
        {
            "timeUnixNano": now,
            "eventName": "to +5511999998888",
            "body": {"kvlistValue": {"values": attributes({"input.value": WORD})}},
        },
    ]
    body = {"mark": "logged", "resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}

    left = gate.pass_through("logs", body)

    assert WORD not in left
    assert "5511999998888" not in left


def test_headers_and_passwords_are_hashed_whole(gate: Gate) -> None:
    """Whatever stands under a name such as authorization or password is hashed."""
    held = attributes({"http.request.header.authorization": "hello", "db.password": "hello"})

    left = gate.pass_through("traces", a_span("secret names", attributes=held))

    assert left.count(hashed("hello")) == 2
