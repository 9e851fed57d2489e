"""A receiver that is away for a while: what waits is kept, sent again, bounded and counted."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Maker, end_spans
from .receiver import Answer, Receiver, half, hang, reset, status

Receive = Callable[..., Receiver]
Eventually = Callable[..., bool]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")


class TestKept:
    @pytest.mark.parametrize(
        "answer",
        [status(429), status(502), status(503), status(504), reset, half],
        ids=["429", "502", "503", "504", "reset", "half"],
    )
    def test_not_now(self, receive: Receive, private: Maker, answer: Answer) -> None:
        """What a receiver cannot take now arrives when it can, once, and nothing is lost."""
        receiver = receive(answer, answer)
        embedded = private("traces")
        end_spans(embedded, "a", "b")

        assert embedded.flush()
        assert sorted(receiver.spans) == ["a", "b"]
        assert embedded.dropped.total() == 0

    def test_no_answer(
        self, receive: Receive, private: Maker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What gets no answer within the standard time-out is sent again."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
        receiver = receive(hang)
        embedded = private("traces")
        end_spans(embedded, "a")

        assert embedded.flush()
        assert receiver.spans == ["a"]

    def test_restarted(self, receive: Receive, private: Maker, eventually: Eventually) -> None:
        """A receiver that is gone and comes back gets all that ended meanwhile, in order."""
        receiver = receive()
        embedded = private("traces")
        receiver.close()
        end_spans(embedded, "a", "b")
        assert eventually(lambda: embedded.failures)
        end_spans(embedded, "c")
        receiver = receive(port=receiver.port)

        assert eventually(lambda: receiver.spans == ["a", "b", "c"])
        assert embedded.dropped.total() == 0

    def test_short_absence_is_silent(
        self, receive: Receive, private: Maker, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An absence of a moment, where nothing is lost, is not worth a line."""
        caplog.set_level("INFO")
        receive(status(503), reset)
        embedded = private("traces")
        end_spans(embedded, "a")

        assert embedded.flush()
        assert [each.name for each in caplog.records if each.name.startswith("otel")] == []
        assert embedded.failures == 2

    def test_receivers_wish(self, receive: Receive, private: Maker, eventually: Eventually) -> None:
        """A receiver that asks for a time is left alone for it, also by a flush."""
        receiver = receive(status(503, retry_after="1"))
        embedded = private("traces")
        end_spans(embedded, "a")
        assert eventually(lambda: receiver.got)
        embedded.flush()

        first, second = receiver.got
        assert 0.9 <= second.at - first.at <= 3.0

    def test_logs(self, receive: Receive, private: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
        """Log records are kept as spans are."""
        monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "10")
        receiver = receive(status(503))
        embedded = private("logs")
        embedded.provider.get_logger("l").emit(event_name="an event")

        assert embedded.flush()
        assert [b"an event" in got.body for got in receiver.accepted] == [True]


class TestBound:
    def test_queue(
        self,
        receive: Receive,
        private: Maker,
        monkeypatch: pytest.MonkeyPatch,
        eventually: Eventually,
    ) -> None:
        """While it is away, one batch and a full queue are kept; what is newer is counted."""
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
        receiver = receive()
        embedded = private("traces")
        receiver.close()
        end_spans(embedded, "1", "2")
        assert eventually(lambda: embedded.failures)
        end_spans(embedded, "3", "4", "5", "6", "7", "8", "9")
        receiver = receive(port=receiver.port)

        assert eventually(lambda: len(receiver.spans) >= 6)
        assert receiver.spans == ["1", "2", "3", "4", "5", "6"]
        assert dict(embedded.dropped) == {"queue_full": 3}

    def test_recovery_says_what_was_lost(
        self,
        receive: Receive,
        private: Maker,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        eventually: Eventually,
    ) -> None:
        """The queue that is full is said once; that it goes on again, with how many were lost."""
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "2")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
        receiver = receive()
        embedded = private("traces")
        receiver.close()
        end_spans(embedded, "1")
        assert eventually(lambda: embedded.failures)
        end_spans(embedded, *"abcdef")
        receiver = receive(port=receiver.port)
        assert eventually(lambda: len(receiver.spans) == 3)

        full, again = caplog.messages
        assert full.endswith("the queue is full, and what is new is dropped")
        assert "again, after " in again
        assert again.endswith("failed exports; 4 spans lost")

    def test_counted_in_the_metric(self, receive: Receive, private: Maker) -> None:
        """What is lost is told to who counts, by signal and reason."""
        counted: list[tuple[str, str, int]] = []
        private.faults.count = lambda *what: counted.append(what)
        receive(status(400), status(400))
        embedded = private("traces")
        for _ in range(2):
            end_spans(embedded, "a")
            embedded.flush()

        assert counted == [("traces", "refused", 1), ("traces", "refused", 1)]


class TestEnd:
    def test_comes_back_in_time(
        self, receive: Receive, private: Maker, eventually: Eventually
    ) -> None:
        """A receiver that comes back while the end waits gets all there is."""
        receiver = receive()
        embedded = private("traces")
        receiver.close()
        end_spans(embedded, "a")
        assert eventually(lambda: embedded.failures)
        ending = embedded.end(time.monotonic() + 20)
        receiver = receive(port=receiver.port)

        assert ending.wait(time.monotonic() + 20)
        assert receiver.spans == ["a"]

    def test_wish_beyond_the_end(
        self, receive: Receive, private: Maker, eventually: Eventually
    ) -> None:
        """Where the receiver wants to be left alone until after the end, nobody waits for it."""
        receiver = receive(*[status(503, retry_after="100")] * 9)
        embedded = private("traces")
        end_spans(embedded, "a", "b")
        assert eventually(lambda: receiver.got)
        ending = embedded.end(time.monotonic() + 30)

        assert ending.wait(time.monotonic() + 10)
        assert dict(embedded.dropped) == {"exit": 2}

    def test_dead(self, private: Maker, monkeypatch: pytest.MonkeyPatch, eventually: Any) -> None:
        """What is given up is counted: what was under way, and what waited in the queue."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
            embedded = private("traces")
            end_spans(embedded, "a", "b")
            (watch,) = embedded.watches
            assert eventually(lambda: watch.waiting)
            end_spans(embedded, "c")
            embedded.give_up()

        assert dict(embedded.dropped) == {"exit": 3}
