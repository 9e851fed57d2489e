"""What a receiver will never take: it is said once with its cause, counted, and not in the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.rpc.status_pb2 import Status

from .conftest import Maker, end_spans
from .receiver import Answer, Receiver, names_of, status

Receive = Callable[..., Receiver]

PROTOBUF = {"content_type": "application/x-protobuf"}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (status(400, b"no such tenant"), "400 Bad Request: no such tenant"),
        (status(400, Status(message="odd").SerializeToString(), **PROTOBUF), "Bad Request: odd"),
        (status(401), "401 Unauthorized (OTEL_EXPORTER_OTLP_HEADERS is what it asks for)"),
        (status(404, b"<h1>No</h1>", content_type="text/html"), "404 Not Found"),
        (status(500), "500 Internal Server Error"),
        (status(307, location="/x"), "307 Temporary Redirect (redirections are not followed)"),
        (
            status(400, b"Client sent an HTTP request to an HTTPS server.\n"),
            "(if it speaks TLS, the endpoint must say https)",
        ),
    ],
    ids=["text", "protobuf", "token", "page", "broken", "elsewhere", "tls"],
)
@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_said(
    receive: Receive,
    private: Maker,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    cause: str,
    signal: str,
) -> None:
    """The line says what the receiver said, and what to look at."""
    receiver = receive(answer)
    embedded = private(signal)
    if signal == "traces":
        end_spans(embedded, "a")
    else:
        embedded.provider.get_meter("m").create_counter("c").add(1)

    assert not embedded.flush()
    assert caplog.messages[0].endswith(cause)
    assert len(receiver.got) == 1


def test_counted(receive: Receive, private: Maker) -> None:
    """Each span of a batch that is refused is counted; the next batch goes."""
    receiver = receive(status(400))
    embedded = private("traces")
    end_spans(embedded, "a", "b")
    first = embedded.flush()
    end_spans(embedded, "c")

    assert (first, embedded.flush()) == (False, True)
    assert dict(embedded.dropped) == {"refused": 2}
    assert receiver.spans == ["c"]


@pytest.mark.parametrize(
    "answer",
    [status(413), status(400, b"http: request body too large")],
    ids=["413", "collector"],
)
def test_too_large(receive: Receive, private: Maker, answer: Answer) -> None:
    """A batch that is too large goes in halves, and in halves of these."""
    receiver = receive(answer, answer)
    embedded = private("traces")
    end_spans(embedded, *"abcd")

    assert embedded.flush()
    assert [names_of(got.body) for got in receiver.got] == [
        ["a", "b", "c", "d"],
        ["a", "b"],
        ["a"],
        ["b"],
        ["c", "d"],
    ]


def test_one_that_is_too_large(
    receive: Receive, private: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    """A single span that is too large is lost and said; those beside it go."""
    receiver = receive(status(413), status(413))
    embedded = private("traces")
    end_spans(embedded, "a", "b")

    assert not embedded.flush()
    assert receiver.spans == ["b"]
    assert dict(embedded.dropped) == {"refused": 1}
    assert "413 Request Entity Too Large" in caplog.messages[0]


@pytest.mark.parametrize(
    "headers", ["authorization=Bearer s3cr3t-value%0A", "s3cr3t-value", "x-key=s3cr3t-value"]
)
@pytest.mark.usefixtures("lenient")
def test_token(
    receive: Receive,
    private: Maker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    headers: str,
) -> None:
    """No token is said, whatever is wrong with it and whoever repeats it."""
    caplog.set_level("DEBUG", "otel_stream")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    receive(status(401, b"what is s3cr3t-value?"))
    embedded = private("traces")
    end_spans(embedded, "a")

    assert not embedded.flush()
    assert "cannot export traces" in caplog.text
    assert "s3cr3t" not in caplog.text
