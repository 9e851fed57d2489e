"""Captured content on spans and log records: only when asked for, in the convention's form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from otel_stream import semconv
from otel_stream.call import Content
from otel_stream.delta import Finish, Reasoning, Text, ToolCall
from otel_stream.testing import Captured

LIMIT = 65_536
SCHEMAS = Path(__file__).parent / "schemas"
NAMES = {semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES, semconv.SYSTEM_INSTRUCTIONS}
ASKED: Content = {
    semconv.SYSTEM_INSTRUCTIONS: [{"type": "text", "content": "Be brief."}],
    semconv.INPUT_MESSAGES: [
        {"role": "user", "parts": [{"type": "text", "content": "secret tea?"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "ok"}]},
    ],
}
ANSWER = [Reasoning("secret thought"), "secret tea", ToolCall(0, "f", "1", '{"secret": "secret"}')]


Told = Callable[..., None]


@pytest.fixture
def tell(begin: Any, drive: Any) -> Told:
    """Tells of a whole call: what was asked, and the answer's chunks."""

    def told(asked: Content | None = None, chunks: Any = ANSWER) -> None:
        trace = begin(content=lambda: asked or ASKED)
        for chunk in [*chunks, Finish("stop")]:
            drive(trace.recorder).chunk(chunk)
        drive(trace.recorder).finish()

    return told


def on_span(captured: Captured) -> dict[str, Any]:
    """The content attributes of the only span."""
    found = captured.span().attributes or {}
    return {n: json.loads(str(v)) for n, v in found.items() if n in NAMES}


def check(content: dict[str, Any]) -> None:
    """Raise if content does not have the convention's form."""
    for name, value in content.items():
        file = name.replace("_", "-").replace(".", "-")
        schema = json.loads((SCHEMAS / f"{file}.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(value)


def test_off(tell: Told, captured: Captured) -> None:
    """Unless asked for, no content is in any signal."""
    tell()
    span = captured.span()

    assert "secret" not in repr((span.to_json(), captured.metrics(), captured.logs()))
    assert on_span(captured) == {}


@pytest.mark.otel_stream(capture_content="span")
def test_span(tell: Told, captured: Captured) -> None:
    """On spans it stands as JSON of the convention's form."""
    tell()
    found = on_span(captured)

    assert found.keys() == NAMES
    check(found)
    assert found[semconv.INPUT_MESSAGES] == ASKED[semconv.INPUT_MESSAGES]
    assert captured.logs() == []


@pytest.mark.otel_stream(capture_content="event")
def test_event(tell: Told, captured: Captured) -> None:
    """On a log record it stands as it is, with what the span says of the request."""
    tell()
    record = captured.logs(semconv.OPERATION_DETAILS_EVENT)[0]
    content = {n: v for n, v in record.attributes.items() if n in NAMES}

    assert content.keys() == NAMES
    check(json.loads(json.dumps(content, default=dict)))
    assert record.attributes["gen_ai.provider.name"] == "p"
    assert record.span_id == captured.span().get_span_context().span_id
    assert on_span(captured) == {}


@pytest.mark.otel_stream(capture_content="both")
def test_both(tell: Told, captured: Captured) -> None:
    """Or both."""
    tell()

    assert on_span(captured).keys() == NAMES
    assert len(captured.logs(semconv.OPERATION_DETAILS_EVENT)) == 1


@pytest.mark.otel_stream(capture_content="span")
def test_bounds(tell: Told, captured: Captured) -> None:
    """Input and output are cut at 65,536 characters each, and the span says so."""
    message = {"role": "user", "parts": [{"type": "text", "content": "i" * 100_000}]}
    tell({semconv.INPUT_MESSAGES: [message]}, ["o" * 100] * 1000)
    found = on_span(captured)
    sizes = [found[name][0]["parts"][0]["content"] for name in sorted(found)]

    assert [(text[0], len(text)) for text in sizes] == [("i", LIMIT), ("o", LIMIT)]
    assert (captured.span().attributes or {})[semconv.CONTENT_TRUNCATED] is True
    assert (captured.span().attributes or {})[semconv.CONTENT_SIZE] == 100_000


@pytest.mark.otel_stream(capture_content="span")
def test_just_fits(tell: Told, captured: Captured) -> None:
    """What just fits is not cut, and nothing says so."""
    message = {"role": "user", "parts": [{"type": "text", "content": "i" * LIMIT}]}
    tell({semconv.INPUT_MESSAGES: [message]}, ["o" * LIMIT])

    assert semconv.CONTENT_TRUNCATED not in (captured.span().attributes or {})


@pytest.mark.otel_stream(capture_content="both", redact=lambda text: text.replace("secret", "*"))
def test_redacted(tell: Told, captured: Captured) -> None:
    """The hook sees every text before it leaves, in whatever place it stands."""
    tell()

    logs = [dict(record.attributes) for record in captured.logs()]

    assert "secret" not in repr((captured.span().to_json(), logs))
    assert on_span(captured)[semconv.OUTPUT_MESSAGES][0]["parts"][2]["arguments"] == {"*": "*"}


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: text.replace("mail@host", "*"))
def test_redacted_past_the_cut(tell: Told, captured: Captured) -> None:
    """What the cut would have halved is taken out whole."""
    tell(chunks=["o" * (LIMIT - 4), "mail@host and more"])
    text = on_span(captured)[semconv.OUTPUT_MESSAGES][0]["parts"][0]["content"]

    assert text[-5:] == "o* an"


@pytest.mark.otel_stream(capture_content="both", redact=lambda text: text[9999])
def test_failing_redaction(tell: Told, captured: Captured, lenient: None) -> None:
    """A hook that fails costs the content, never the span."""
    tell()

    assert "secret" not in repr((captured.span().to_json(), captured.logs()))
    assert (captured.span().attributes or {})[semconv.OUTCOME] == "completed"


@pytest.mark.otel_stream(capture_content="span")
def test_failing_request(begin: Any, captured: Captured, lenient: None) -> None:
    """A request whose content cannot be read costs its input, not the answer."""
    trace = begin(content=lambda: {}["none"])
    trace.recorder.feed("tea", 0.0, 0.0)
    trace.recorder.close()

    assert on_span(captured).keys() == {semconv.OUTPUT_MESSAGES}


@pytest.mark.otel_stream(capture_content="both")
def test_lone_surrogates(tell: Told, captured: Captured, caplog: Any) -> None:
    """Half an emoji, wherever it stands, lets no exporter fail."""
    exporter = InMemoryLogRecordExporter()
    captured.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    half = "\ud83d"
    parts = [{"type": "text", "content": half}, {"type": "tool_call", "arguments": {half: half}}]
    tell({semconv.INPUT_MESSAGES: [{"role": "user", "parts": parts}]}, [half, Text(half, 1)])

    sizes = [encode_spans(captured.spans()).ByteSize()]
    sizes += [encode_logs(exporter.get_finished_logs()).ByteSize()]

    assert min(sizes) > 0
    assert caplog.records == []
    assert on_span(captured)[semconv.OUTPUT_MESSAGES][0]["parts"][0]["content"] == "?"


@pytest.mark.otel_stream(capture_content="span")
def test_no_answer(tell: Told, captured: Captured) -> None:
    """Without an answer there are no output messages: none are made up."""
    tell(chunks=[])

    assert on_span(captured).keys() == NAMES - {semconv.OUTPUT_MESSAGES}
