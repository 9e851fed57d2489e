from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from otel_stream.export.faults import Faults
from otel_stream.export.verdict import SENT
from otel_stream.export.watch import REFUSED, Watch

LOGGER = logging.getLogger("an.exporter")


@pytest.fixture
def faults(caplog: pytest.LogCaptureFixture) -> Iterator[Faults]:
    caplog.set_level(logging.INFO)
    yield Faults()
    LOGGER.filters.clear()


def watch_of(faults: Faults, signal: str = "traces") -> Watch:
    return Watch(signal, f"http://collector/v1/{signal}", faults, [LOGGER.name])


def fail(text: str) -> bool:
    """An export that fails as those of the SDK do: with lines of its own."""
    LOGGER.error(text)
    return False


def raise_(error: Exception) -> bool:
    raise error


class TestSaidOnce:
    def test_first(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """The first failure is said, with where to and what the exporter said of it."""
        watch_of(faults).attempt(lambda: fail("code: 404, reason: Not Found"))

        assert caplog.record_tuples == [
            (
                "otel_stream",
                logging.WARNING,
                "otel-stream cannot export traces to http://collector/v1/traces; the program is "
                "not affected (said once): code: 404, reason: Not Found",
            )
        ]

    def test_again(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """The same failure again is counted and not said, though it differs in a number."""
        watch = watch_of(faults)
        for attempt in range(3):
            watch.attempt(lambda number=attempt: fail(f"failed at 0x{number}, {number}.5 s"))

        assert watch.failures == 3
        assert len(caplog.messages) == 1

    def test_another_signal(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """The same failure of another signal is the same fault."""
        for signal in ("traces", "metrics", "logs"):
            path = f"/v1/{signal}"
            watch_of(faults, signal).attempt(lambda path=path: fail(f"no route to {path}"))

        assert len(caplog.messages) == 1

    def test_change(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """Another failure is said, and the first is not said again when it comes back."""
        watch = watch_of(faults)
        for text in ("refused", "reset", "refused", "reset"):
            watch.attempt(lambda text=text: fail(text))

        assert [message.rpartition(": ")[2] for message in caplog.messages] == ["refused", "reset"]

    def test_recovery(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """That it works again is told, and then a failure is news again."""
        watch = watch_of(faults)
        for outcome in (False, False, True, True, False):
            watch.attempt(lambda outcome=outcome: outcome or fail("refused"))

        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]
        assert "again, after 2 failed exports" in caplog.messages[1]

    def test_endless_variety(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """However many causes a broken back end thinks up, a few lines are all."""
        watch = watch_of(faults)
        for cause in "abcdefghijklmnopqrstuvwxyz":
            watch.attempt(lambda cause=cause: fail(f"reason {cause}"))

        assert watch.failures == 26
        assert len(caplog.messages) == 8


class TestAttempt:
    def test_exception(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """An exporter that raises has failed; nothing reaches who calls."""
        watch = watch_of(faults)

        verdict = watch.attempt(lambda: raise_(OSError(28, "No space left on device")))

        assert verdict.then == "never"
        assert caplog.text.rstrip().endswith("OSError: [Errno 28] No space left on device")

    def test_remedy(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """What to do stands at the end; against a full queue it would not help, and is not said."""
        watch = Watch("traces", "a file", faults, [], remedy="mend it")
        watch.attempt(lambda: raise_(OSError("broken")))
        watch.drop()

        assert [message.rpartition(": ")[2] for message in caplog.messages] == [
            "broken; mend it",
            "the queue is full, and what is new is dropped",
        ]

    def test_others_are_heard(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """Meanwhile the application's own exporter of the same kind may log as it likes."""

        def export() -> bool:
            other = threading.Thread(target=LOGGER.error, args=("the application's",))
            other.start()
            other.join()
            return True

        watch_of(faults).attempt(export)
        LOGGER.error("between")

        assert caplog.messages == ["the application's", "between"]

    def test_first_and_last_are_said(
        self, faults: Faults, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Of several lines the last, which is the end, and the first, which is the cause, stand."""

        def export() -> bool:
            for line in ("refused, retry in 1 s", "refused, retry in 2 s", "gave up"):
                LOGGER.warning(line)
            return False

        watch_of(faults).attempt(export)

        assert caplog.messages[0].endswith("gave up, after: refused, retry in 1 s")

    def test_hidden_repetition(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """The SDK's filters, which hide what was logged a moment ago, hide no cause from us."""
        LOGGER.addFilter(lambda record: False)

        watch_of(faults).attempt(lambda: fail("refused"))

        assert caplog.messages[0].endswith(": refused")

    def test_abandoned(self, faults: Faults) -> None:
        """Abandoned, it exports nothing and says that all is well."""
        watch = watch_of(faults)
        watch.abandon()

        assert watch.attempt(lambda: raise_(AssertionError("exported"))) == SENT

    def test_abandoned_meanwhile(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """An attempt that was given up says nothing when it fails at last."""
        watch = watch_of(faults)
        watch.attempt(lambda: watch.abandon() or fail("late"))

        assert caplog.messages == []

    @pytest.mark.parametrize("busy", [False, True])
    def test_filter_is_removed(self, faults: Faults, busy: bool) -> None:
        """When it has ended, nothing of it is left on the exporter's logger."""
        watch = watch_of(faults)
        if busy:
            watch.attempt(lambda: watch.abandon() or True)
        watch.close(lambda: None)

        assert LOGGER.filters == []


class TestEnd:
    def test_gave_up(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """What did not go in time is said once for all signals, with what they complain of."""
        watches = [watch_of(faults, signal) for signal in ("traces", "logs")]
        for watch in watches:
            watch.waiting.extend(["abc", "d"])
            watch.attempt(lambda watch=watch: watch.abandon() or fail(f"{watch.signal} refused"))

        faults.ended(watches, watches, 5.0)

        assert caplog.messages == [
            "otel-stream waited 5 s at the end for the export of traces, logs; what did not go "
            "is lost (4 spans, 4 log records): logs refused"
        ]

    def test_known_fault(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """When the fault was said before and nothing is lost, the end is no second warning."""
        watch = watch_of(faults, "metrics")
        watch.attempt(lambda: fail("refused"))

        faults.ended([watch], [watch], 5.0)

        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    def test_lost_on_the_way(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """When all went at the end, what was lost before is said once, with the numbers."""
        watches = [watch_of(faults, signal) for signal in ("traces", "metrics", "logs")]
        for watch in watches[::2]:
            watch.lose(1, REFUSED)
        watches[0].drop()
        caplog.clear()

        faults.ended(watches, [], 5.0)

        assert caplog.messages == ["otel-stream ends; lost on the way: 2 spans, 1 log record"]

    def test_nothing_lost(self, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
        """An end at which all is well is silent."""
        faults.ended([watch_of(faults)], [], 5.0)

        assert caplog.messages == []
