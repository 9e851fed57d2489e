"""What holds in every test: our own faults raise, nothing is left open, no variable is set.

The fixtures of `otel_stream.testing.plugin` are there too: pytest finds the plugin by itself, since
the package is installed.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from otel_stream import errors, runtime
from otel_stream.call import CallInfo
from otel_stream.control import start
from otel_stream.delta import Failure, Found
from otel_stream.record.limits import Limits
from otel_stream.record.recorder import Recorder
from otel_stream.settings import Settings
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.trace import Trace
from otel_stream.watcher import watcher

if TYPE_CHECKING:
    from tests.demo_run import Ended

# How fast a machine is tells nothing of what is tested.
settings.register_profile(
    "ours", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("ours")

# A shell starts what runs in its background with Ctrl-C ignored, and so would we and our children.
signal.signal(signal.SIGINT, signal.default_int_handler)

KEPT = {"OTEL_STREAM_RECORDINGS"}
"""Variables that say what to test, not how we are set."""


def eventually(condition: Callable[[], object], timeout: float = 5.0) -> bool:
    """Wait until *condition* holds, at most *timeout* seconds. Returns whether it does."""
    until = time.monotonic() + timeout
    while not condition() and time.monotonic() < until:
        time.sleep(0.001)
    return bool(condition())


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `OTEL_*` variable of the machine reaches a test."""
    for name in [name for name in os.environ if name.startswith("OTEL_") and name not in KEPT]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """What fails in our own code fails the test."""
    before, errors.strict = errors.strict, True
    yield
    errors.strict = before


@pytest.fixture
def lenient(strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: what fails in our own code is counted, logged once, and swallowed."""
    monkeypatch.setattr(errors, "strict", False)
    errors.faults.clear()


@pytest.fixture(autouse=True)
def nothing_left_open(strict: None) -> Iterator[None]:
    """A test ends the streams that it begins."""
    yield
    if watcher.open:
        gc.collect()
    left = [] if eventually(lambda: not watcher.open, 2.0) else watcher.open
    for recorder in left:
        recorder.forget()
        watcher.remove(recorder)

    assert left == [], "streams were left open"


@pytest.fixture
def otel_stream_captured(otel_stream_captured: Captured) -> Iterator[Captured]:
    """The plugin's, and no span is left open in it."""
    yield otel_stream_captured
    assert otel_stream_captured.open_spans() == []


@pytest.fixture
def captured(request: pytest.FixtureRequest) -> Iterator[Captured]:
    """Our telemetry of this test, no SDK instrumented. The marker `otel_stream` has settings."""
    marker = request.node.get_closest_marker("otel_stream")
    settings = dict(marker.kwargs) if marker else {}
    callbacks = settings.pop("callbacks", None)
    kept = Captured(sampler=settings.pop("sampler", None))
    start(
        Settings.resolve(**settings),
        kept.tracer_provider,
        kept.meter_provider,
        kept.logger_provider,
        callbacks=callbacks,
    )
    mine = runtime.current()
    yield kept
    runtime.install(None)
    mine.telemetry.shutdown()
    assert eventually(lambda: not kept.open_spans()), "spans were left open"


@pytest.fixture
def clock() -> ScriptedClock:
    """A clock that stands still until the test moves it. It begins at 100 s."""
    return ScriptedClock()


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., bool]:
    """Wait for a condition."""
    return eventually


class Heard:
    """A listener that notes what it is told, as (what, …)."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.waits: list[float] = []
        self.error: BaseException | None = None

    def first_token(self, recorder: Recorder) -> None:
        self.told.append(("first_token",))

    def delta(self, recorder: Recorder, delta: Any) -> None:
        self.told.append(("delta", delta))

    def stalled(self, recorder: Recorder, since: float) -> None:
        self.told.append(("stalled", since))

    def usage(self, recorder: Recorder, usage: Any) -> None:
        self.told.append(("usage", usage))

    def gaps(self, recorder: Recorder, waits: Any) -> None:
        self.waits.extend(waits)

    def ended(self, recorder: Recorder) -> None:
        watcher.remove(recorder)
        self.error = recorder.error
        self.told.append(("ended", recorder.outcome))


class Plain:
    """A reader of chunks that are deltas already. `is_whole`: what it says at the body's end."""

    def __init__(self, is_whole: bool = True) -> None:
        self.is_whole = is_whole

    def read(self, chunk: Any) -> Found:
        return chunk  # type: ignore[no-any-return]

    def whole(self, done: bool) -> bool:
        return self.is_whole or done

    def failure(self, error: BaseException) -> Failure | None:
        return Failure(error.code) if hasattr(error, "code") else None  # type: ignore[attr-defined]


@pytest.fixture
def heard() -> Heard:
    """The listener of `recorder`."""
    return Heard()


@pytest.fixture
def begin(captured: Captured, clock: ScriptedClock) -> Callable[..., Trace]:
    """Begins a call by the scripted clock. Keywords are those of `CallInfo`."""

    def begun(*, whole: bool = True, **options: Any) -> Trace:
        info = CallInfo(**{"operation": "chat", "provider": "p", "model": "m", **options})
        return Trace(runtime.current(), info, Plain(whole), clock=clock)

    return begun


Make = Callable[..., Recorder]


@pytest.fixture
def make(clock: ScriptedClock, heard: Heard) -> Make:
    """Makes a recorder by the scripted clock. Keywords are limits, or the recorder's own."""

    def made(*, whole: bool = True, watched: bool = False, **options: Any) -> Recorder:
        limits = Limits(**{n: options.pop(n) for n in Limits._fields if n in options})
        recorder = Recorder(Plain(whole), heard, limits=limits, clock=clock, **options)
        if watched:
            watcher.add(recorder)
        return recorder

    return made


class Reading:
    """Drives a recorder as a loop does: each read takes what it is said to take."""

    def __init__(self, recorder: Recorder, clock: ScriptedClock) -> None:
        self.recorder = recorder
        self.clock = clock

    def begin(self) -> float:
        """A read begins."""
        self.recorder.reading_since = started = self.clock()
        return started

    def chunk(self, chunk: Any, wait: float = 0.1, body: float = 0.0) -> None:
        """A chunk comes after *wait* seconds; then the loop's body takes *body* seconds."""
        started = self.begin()
        self.recorder.feed(chunk, started, self.clock.advance(wait))
        self.clock.advance(body)

    def finish(self, wait: float = 0.1, done: bool = False) -> None:
        """The body ends after *wait* seconds."""
        started = self.begin()
        self.recorder.finish(started, self.clock.advance(wait), done)


@pytest.fixture
def drive(clock: ScriptedClock) -> Callable[[Recorder], Reading]:
    """Drives a recorder by the scripted clock."""
    return lambda recorder: Reading(recorder, clock)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The demo as `make demo | cat` runs it, with log records too: once, for all who look at it."""
    from tests.demo_run import run

    return run(tmp_path_factory.mktemp("demo"), OTEL_STREAM_EVENTS="both")
