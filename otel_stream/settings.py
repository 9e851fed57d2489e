"""What can be set, read once: argument, then `OTEL_STREAM_*`, then `OTEL_*`, then the default.

Each field of `Settings` says in its metadata what it means (`doc`), which standard variables are
read too (`also`), and what values are allowed (`value`, see `values`). A wrong argument or
`OTEL_STREAM_*` variable is an error. A wrong `OTEL_*` variable is logged and ignored, as the
OpenTelemetry specification asks (configuration/sdk-environment-variables.md); an empty variable is
one that is not set.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

from otel_stream import values
from otel_stream.errors import SettingsError
from otel_stream.sources import ARGUMENT, look_up, nearest, unknown_variables
from otel_stream.values import Value

__all__ = ["Reading", "Settings", "say_once"]

AGENT_PATHS = (
    "agents/*/runs",
    "teams/*/runs",
    "agents/*/runs/*/continue",
    "teams/*/runs/*/continue",
)
BOTH = "only and exclude"
"""The key in `Reading.problems` of names that stand in both."""

logger = logging.getLogger("otel_stream")

T = TypeVar("T")
_said: set[str] = set()


def _setting(default: T, value: Value[Any], doc: str, *also: str) -> T:
    return dataclasses.field(default=default, metadata={"doc": doc, "also": also, "value": value})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, complete and checked. Made by `resolve`; the constructor checks nothing."""

    service_name: str | None = _setting(
        None,
        values.NAME,
        "The name of the service on spans and metrics, where the private providers are used.",
        "OTEL_SERVICE_NAME",
    )
    capture_content: Literal["none", "span", "event", "both"] = _setting(
        "none",
        values.CAPTURE,
        "Where the messages go: nowhere, on the span, on an event (log record), or both.",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    )
    content_limit: int = _setting(
        65_536,
        values.POSITIVE,
        "Characters kept of captured input, and as many of captured output.",
    )
    redact: Callable[[str], str] | None = _setting(  # noqa: RUF009 - it makes a field
        None,
        values.REDACT,
        "A function that sees each captured text before it leaves and returns what may leave.",
    )
    events: Literal["span", "log", "both", "none"] = _setting(
        "span",
        values.one_of("span", "log", "both", "none"),
        "Where a stream's events go: on its span, into log records, both, or nowhere.",
    )
    chunk_events: Literal["off", "sampled", "all"] = _setting(
        "sampled",
        values.one_of("off", "sampled", "all"),
        "Which chunks get an event: none, chunks 1, 2, 4, 8 …, or all that the budget allows.",
    )
    semconv: Literal["released", "latest"] = _setting(
        "released",
        values.one_of("released", "latest"),
        "Metric names: those of released instrumentations, or those of the GenAI repository.",
    )
    stall_after_first: float = _setting(
        10.0, values.SECONDS, "Seconds of waiting before the first token that count as a stall."
    )
    stall_after_reasoning: float = _setting(
        15.0, values.SECONDS, "Seconds of waiting while the model reasons that count as a stall."
    )
    stall_after: float = _setting(
        2.0, values.SECONDS, "Seconds of waiting between chunks that count as a stall."
    )
    grace: float = _setting(
        1.0,
        values.SECONDS_OR_NONE,
        "Seconds that a stream waits, once its loop was left, for somebody who reads on.",
    )
    data_dir: str = _setting(
        "otel-stream-data", values.PATH, "The folder of the OTLP JSON lines files."
    )
    data_max_bytes: int = _setting(
        64 * 1024 * 1024, values.POSITIVE, "Bytes at which such a file is rotated."
    )
    data_files: int = _setting(4, values.COUNT, "Rotated files that are kept of each signal.")
    prometheus: bool = _setting(
        False,
        values.FLAG,
        "Serve metrics to Prometheus (needs the extra `prometheus`).",
        "OTEL_METRICS_EXPORTER",
    )
    prometheus_host: str = _setting(
        "127.0.0.1",
        values.HOST,
        "The address that the Prometheus endpoint listens on.",
        "OTEL_EXPORTER_PROMETHEUS_HOST",
    )
    prometheus_port: int = _setting(
        9464,
        values.PORT,
        "The port that the Prometheus endpoint listens on; 0 is any free one.",
        "OTEL_EXPORTER_PROMETHEUS_PORT",
    )
    set_global: bool = _setting(
        False, values.FLAG, "Make our providers the global ones, where there is none yet."
    )
    only: tuple[str, ...] = _setting(
        (), values.NAMES, "Names of the libraries to instrument; empty means all that are there."
    )
    exclude: tuple[str, ...] = _setting((), values.NAMES, "Names of the libraries to leave alone.")
    shutdown_timeout: float = _setting(
        5.0, values.SECONDS_OR_NONE, "Seconds that flushing at exit may take altogether."
    )
    agent_paths: tuple[str, ...] = _setting(
        AGENT_PATHS,
        values.NAMES,
        "Ends of the paths at which agents are run over HTTP; `*` stands for one segment.",
    )
    delivery_store: object = _setting(
        None,
        values.STORE,
        "Where messages wait for what becomes of them: memory, or `sqlite:` or `postgresql:`.",
    )
    delivery_tracker: bool = _setting(
        False,
        values.FLAG,
        "Let messages to the WhatsApp Cloud API carry their trace, where they carry nothing yet.",
    )
    callback_queue: int = _setting(
        10_000, values.POSITIVE, "Events that may wait for callbacks; more are dropped and counted."
    )
    disabled: bool = _setting(False, values.FLAG, "Switch all of it off.", "OTEL_SDK_DISABLED")

    @classmethod
    def resolve(cls, **arguments: object) -> Settings:
        """Settings from arguments and environment. An argument of None is one that is not given.

        Raises:
            SettingsError: A value cannot be used, or an argument does not exist.
        """
        return cls.read(**arguments).checked()

    @classmethod
    def resolve_lenient(cls, **arguments: object) -> Settings:
        """The same, raising nothing: a wrong value is logged once and the default used.

        For auto-instrumentation, where nobody could catch the error. Content stays in the process
        when the function that was to redact it cannot be had.
        """
        settings, _, problems, remarks = cls.read(**arguments)
        for name, problem in problems.items():
            say_once(f"{problem}; {_consequence(name)}")
        for remark in remarks:
            say_once(remark)
        if "redact" in problems:
            say_once("content is not captured, since it cannot be redacted")
            return dataclasses.replace(settings, capture_content="none")
        return settings

    @classmethod
    def read(cls, **arguments: object) -> Reading:
        """Everything that is said about settings, right or wrong. Raises nothing, logs nothing."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        problems = {
            name: SettingsError(f"no setting is called {name!r}{nearest(name, fields)}")
            for name in arguments
            if name not in fields
        }
        found: dict[str, Any] = {}
        sources: dict[str, str] = {}
        remarks: list[str] = []
        for name, field in fields.items():
            try:
                said = look_up(field, arguments.get(name), remarks)
            except SettingsError as problem:
                problems[name] = problem
                continue
            if said is not None:
                sources[name], found[name] = said
        remarks += unknown_variables(fields)
        reading = Reading(cls(**found), sources, problems, remarks)
        if names := reading.contradictions:
            only, exclude = reading.place("only"), reading.place("exclude")
            text = f"{only} and {exclude} both name {', '.join(names)}: expected in one of them"
            problems[BOTH] = SettingsError(text)
        return reading

    def chooses(self, name: str, prefix: str = "otel_stream_") -> bool:
        """Whether `only` and `exclude` leave the instrumentor with this entry point's name in."""
        names = {name, name.removeprefix(prefix)}
        return (not self.only or not names.isdisjoint(self.only)) and names.isdisjoint(self.exclude)


class Reading(NamedTuple):
    """What arguments and environment say about the settings."""

    settings: Settings
    """Where something is wrong, the default stands."""
    sources: dict[str, str]
    """`ARGUMENT` or a variable, by setting; what is absent has its default."""
    problems: dict[str, SettingsError]
    """What is wrong, by setting or by the argument's name."""
    remarks: list[str]
    """Variables that are ignored: standard ones with a wrong value, ours that do not exist."""

    def checked(self) -> Settings:
        """The settings, where all is right. Logs the remarks.

        Raises:
            SettingsError: A value cannot be used, or an argument does not exist.
        """
        for problem in self.problems.values():
            raise problem
        for remark in self.remarks:
            say_once(remark)
        return self.settings

    def place(self, name: str) -> str:
        """Where a setting was said, for a message: the variable, or the argument's name."""
        source = self.sources.get(name, ARGUMENT)
        return name if source == ARGUMENT else source

    @property
    def contradictions(self) -> list[str]:
        """The libraries that are both to be instrumented and to be left alone, by the same side.

        A variable may leave out what the program has chosen, and the other way round.
        """
        sides = {self.sources.get(name) == ARGUMENT for name in ("only", "exclude")}
        if len(sides) > 1:
            return []
        only, exclude = (
            {name.removeprefix("otel_stream_") for name in names}
            for names in (self.settings.only, self.settings.exclude)
        )
        return sorted(only & exclude)


def _consequence(problem: str) -> str:
    """What becomes of a problem where nothing may be raised."""
    if problem == BOTH:
        return "exclude wins"
    return "the default is used" if hasattr(Settings, problem) else "it is ignored"


def say_once(text: str) -> None:
    """Log a line, the same one only once a process."""
    if text not in _said:
        _said.add(text)
        logger.warning("otel-stream: %s", text)
