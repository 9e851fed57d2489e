"""Content in the convention's form: bounded, redacted, and only what was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream.content import BEYOND, as_json, bounded, output_messages
from otel_stream.outcome import Outcome
from otel_stream.record.capture import Capture

SCHEMAS = Path(__file__).parent / "schemas"
LIMIT = 65_536


def check(name: str, value: Any) -> None:
    """Raise if *value* does not have the convention's form, as it stands on a span."""
    schema = json.loads((SCHEMAS / f"gen-ai-{name}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(as_json(value)))


def texts_of(value: Any) -> list[str]:
    """Every text in *value*, keys apart."""
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else value
    return [t for v in values for t in texts_of(v)] if isinstance(value, (dict, list)) else []


def answer(tell: Callable[[Capture], object], limit: int = LIMIT) -> list[dict[str, Any]]:
    """The output messages of a completed answer that *tell* tells."""
    capture = Capture(limit)
    tell(capture)
    return output_messages(capture, {0: "stop"}, Outcome.COMPLETED)


class TestOutput:
    def test_all_kinds_of_parts(self) -> None:
        """Text, reasoning, refusal, tool calls and finished parts have the convention's form."""
        capture = Capture(LIMIT)
        for kind in ("reasoning", "text", "refusal"):
            capture.text(kind, "tea", 0)
        for key, server in (("a", False), ("b", True)):
            piece = capture.tool(key, 0)
            piece.name, piece.id, piece.server = "f", key, server
            capture.arguments(piece, '{"cup": 1}')
        done = {"type": "server_tool_call_response", "server_tool_call_response": {"type": "x"}}
        capture.part(done, 0, 10)
        messages = output_messages(capture, {0: "tool_use"}, Outcome.COMPLETED)

        check("output-messages", messages)
        assert messages[0]["finish_reason"] == "tool_call"
        assert [part["type"] for part in messages[0]["parts"]] == [
            "reasoning",
            "text",
            "refusal",
            "tool_call",
            "server_tool_call",
            "server_tool_call_response",
        ]

    def test_pieces_are_joined(self) -> None:
        """Deltas of one kind are one part: joined they are what the user received (S3-4)."""
        words = ["Because ", "light", " ", "attracts", " bugs", "!", "\n\nThe end,", " 🐑"]
        messages = answer(lambda capture: [capture.text("text", word, 0) for word in words])

        assert messages[0]["parts"] == [{"type": "text", "content": "".join(words)}]

    def test_choices(self) -> None:
        """Each choice is a message, in order, with its own finish reason."""
        capture = Capture(LIMIT)
        for choice in (1, 0, 1):
            capture.text("text", str(choice), choice)
        messages = output_messages(capture, {1: "length"}, Outcome.TRUNCATED)

        assert [m["parts"][0]["content"] for m in messages] == ["0", "11"]
        assert [m["finish_reason"] for m in messages] == ["error", "length"]

    @pytest.mark.parametrize(
        ("outcome", "want"),
        [
            (Outcome.COMPLETED, "stop"),
            (Outcome.TRUNCATED, "error"),
            (Outcome.ERROR, "error"),
            (Outcome.CLOSED_EARLY, "closed_early"),
            (Outcome.CANCELLED, "cancelled"),
        ],
    )
    def test_no_finish_reason(self, outcome: Outcome, want: str) -> None:
        """Without a finish reason the outcome tells; `error` is for what failed only."""
        capture = Capture(LIMIT)
        capture.text("text", "tea", 0)

        assert output_messages(capture, {}, outcome)[0]["finish_reason"] == want

    def test_arguments(self) -> None:
        """Arguments are JSON where they are whole, else the fragment as it came."""
        found = []
        for text in ('{"a": [1]}', '{"a": [1', "", "no JSON", "[" * 5000, '{"a": NaN}'):
            capture = Capture(LIMIT)
            capture.arguments(capture.tool(0, 0), text)
            messages = output_messages(capture, {}, Outcome.COMPLETED)
            found.append(messages[0]["parts"][0]["arguments"])

        assert found[:4] == [{"a": [1]}, '{"a": [1', None, "no JSON"]
        assert found[4:] == ["[" * 5000, {"a": "NaN"}]

    def test_interleaved_tool_calls(self) -> None:
        """Pieces of several calls come mixed, and each call has its own."""
        capture = Capture(LIMIT)
        for key, piece in ((0, '{"a"'), (1, '{"b"'), (0, ": 1}"), (1, ": 2}")):
            capture.arguments(capture.tool(key, 0), piece)
        parts = output_messages(capture, {}, Outcome.COMPLETED)[0]["parts"]

        assert [part["arguments"] for part in parts] == [{"a": 1}, {"b": 2}]


class TestBounds:
    def test_answer(self) -> None:
        """No more is kept of an answer than the limit, however it comes."""
        capture = Capture(LIMIT)
        for number in range(20_000):
            capture.text("text" if number % 100 else "reasoning", "tea! ", number % 2)
        texts = [p["content"] for m in _of(capture) for p in m["parts"]]

        assert sum(map(len, texts)) == LIMIT
        assert capture.truncated

    def test_exactly_at_the_limit(self) -> None:
        """An answer of just that size is whole."""
        capture = Capture(10)
        capture.text("text", "0123456789", 0)

        assert (_of(capture)[0]["parts"][0]["content"], capture.truncated) == ("0123456789", False)

    def test_endless_parts(self) -> None:
        """An endless stream of empty tool calls is bounded too."""
        capture = Capture(LIMIT)
        for key in range(10_000):
            capture.tool(key, key).name = "f"

        assert len(_of(capture)) < 5000
        assert capture.truncated

    @pytest.mark.parametrize(
        "content",
        [
            {"m": [{"role": "user", "parts": [{"type": "text", "content": "x" * 200_000}]}]},
            {"m": [{"role": "user", "parts": [{"type": "text", "content": "x"}]}] * 100_000},
            {"m": [{"role": "user", "parts": [{"type": "text", "content": "x"}] * 100_000}]},
            {"m": [{"type": "tool_call", "arguments": {f"{n}": n for n in range(100_000)}}]},
            {"m": [{"type": "tool_call", "arguments": [None] * 100_000}]},
            {"m": [{"arguments": [[]] * 100_000}], "n": [{"content": "x" * 70_000}]},
        ],
    )
    def test_request(self, content: dict[str, Any]) -> None:
        """Of a request no more than the limit is kept, whatever its size is made of."""
        found, truncated = bounded(content, LIMIT, None) or ({}, False)
        words = {"user", "text", "tool_call"}

        assert sum(len(text) for text in texts_of(found) if text not in words) <= LIMIT
        assert len(as_json(found)) < 10 * LIMIT
        assert truncated

    def test_what_fits_is_equal(self) -> None:
        """Content within the limit is copied, not changed."""
        content = {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "é🐑"}]},
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "response": [1.5, None]}],
                },
            ],
            "gen_ai.tool.definitions": [{"type": "function", "function": {"strict": True}}],
        }

        assert bounded(content, LIMIT, None) == (content, False)

    def test_deep(self) -> None:
        """Arguments nested beyond reason are cut, not followed."""
        deep: Any = "bottom"
        for _ in range(10_000):
            deep = [deep]
        found, truncated = bounded({"m": [{"arguments": deep}]}, LIMIT, None) or ({}, False)

        assert truncated
        assert len(as_json(found)) < 200


def _of(capture: Capture) -> list[dict[str, Any]]:
    return output_messages(capture, {}, Outcome.COMPLETED)


SECRET = "secret"
TREES = st.recursive(
    st.just(SECRET) | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "name", "finish_reason", "a", SECRET]), inner
        )
    ),
    max_leaves=10,
)


class TestRedaction:
    @given(TREES)
    def test_sees_every_text(self, tree: Any) -> None:
        """Every text of arguments passes the hook, whatever the keys around it are called."""
        content = {"m": [{"role": "user", "parts": [{"type": "tool_call", "arguments": tree}]}]}
        found, _ = bounded(content, LIMIT, lambda text: text.replace(SECRET, "*")) or ({}, False)

        assert SECRET not in as_json(found)

    def test_words_of_the_form_stay(self) -> None:
        """What the convention itself writes is no content: roles, types, finish reasons."""
        part = {"type": "text", "content": "tea"}
        message = {"role": "user", "parts": [part], "finish_reason": "stop"}
        found, _ = bounded({"m": [message]}, LIMIT, lambda _: "*") or ({}, False)

        assert found == {
            "m": [{"role": "user", "parts": [{**part, "content": "*"}], "finish_reason": "stop"}]
        }

    def test_before_the_cut(self) -> None:
        """The hook sees a text whole, so that a cut cannot hide half of a secret from it."""
        seen: list[str] = []
        bounded({"m": "0123456789"}, 4, lambda text: seen.append(text) or text)  # type: ignore[func-returns-value]

        assert seen == ["0123456789"]

    def test_failure(self, lenient: None) -> None:
        """A hook that fails drops the content: nothing passes unseen."""
        assert bounded({"m": ["tea"]}, LIMIT, lambda text: text[99]) is None  # fmt: skip

    def test_returns_no_text(self, lenient: None) -> None:
        """So does one that forgets to return a text."""
        assert bounded({"m": ["tea"]}, LIMIT, lambda _: None) is None  # type: ignore[arg-type,return-value]

    @pytest.mark.parametrize("mails", [10, 100])
    def test_secret_at_the_cut(self, mails: int) -> None:
        """A secret that the end of what was kept has halved does not get through unseen."""
        capture = Capture(200 + BEYOND)
        capture.text("text", " ".join(f"some.body{n:04}@example.com" for n in range(mails)), 0)
        messages = output_messages(capture, {0: "stop"}, Outcome.COMPLETED)
        found, _ = bounded({"m": messages}, 200, lambda t: re.sub(r"\S+@\S+", "*", t)) or ({}, 0)

        assert set(found["m"][0]["parts"][0]["content"]) == {"*", " "}


class TestEncoding:
    def test_lone_surrogates(self) -> None:
        """Half an emoji, which no exporter could encode, becomes a question mark."""
        found, _ = bounded(
            {"m": [{"a": "tea \ud83d"}, {"a": {"\ud83d": "\udc11"}}]}, LIMIT, None
        ) or ({}, 0)

        assert found == {"m": [{"a": "tea ?"}, {"a": {"?": "?"}}]}
        assert as_json({"a": "\ud83d"}) == '{"a":"?"}'

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text can be encoded afterwards, and read back as JSON."""
        found, _ = bounded({"m": [text]}, LIMIT, None) or ({}, False)

        assert json.loads(as_json(found).encode()) == found
