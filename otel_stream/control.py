"""`instrument` and its kin: what an application calls."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import context as otel_context

from otel_stream import runtime, semconv
from otel_stream.callbacks import Callbacks, check
from otel_stream.errors import SettingsError, guard
from otel_stream.export import given
from otel_stream.export.telemetry import Telemetry
from otel_stream.runtime import Runtime
from otel_stream.settings import Reading, Settings

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["attributes", "flush", "instrument", "shutdown", "suppress", "uninstrument", "untraced"]

GROUP = "opentelemetry_instrumentor"
PREFIX = "otel_stream_"

Client = TypeVar("Client")
logger = logging.getLogger("otel_stream")

_arguments: dict[str, Any] | None = None


def instrument(
    *,
    tracer_provider: Any = None,
    meter_provider: Any = None,
    logger_provider: Any = None,
    callbacks: Callbacks | None = None,
    **settings: Any,
) -> None:
    """Trace every generation call of the installed SDKs that we know, from now on.

    Args:
        tracer_provider, meter_provider, logger_provider: Where telemetry goes. Without one: the
            application's global SDK provider, also one that it sets later; else one of ours.
        callbacks: Told of every stream.
        settings: See `otel_stream.settings.Settings`; `only` and `exclude` choose instrumentors.

    A second call does nothing, and warns if it asks for something else.

    Raises:
        SettingsError: A setting, a provider or `callbacks` cannot be used.
        MissingExtraError: A setting needs a library that is not installed.
    """
    global _arguments
    providers = (tracer_provider, meter_provider, logger_provider)
    arguments = {**settings, "providers": providers, "callbacks": callbacks}
    if _arguments is not None:
        if arguments != _arguments:
            logger.warning("otel_stream.instrument() ran before: other arguments are ignored")
            return
        _start(chosen(Settings.read(**settings)))  # What somebody has undone since, by itself.
        return
    reading = Settings.read(**settings)
    resolved = reading.checked()
    selected = chosen(reading)
    _check_given(providers, callbacks)
    if resolved.disabled:
        return
    start(resolved, *providers, callbacks=callbacks)
    _arguments = arguments
    _start(selected)


def _check_given(providers: tuple[Any, ...], callbacks: object) -> None:
    for kind, provider in zip(given.KINDS, providers, strict=True):
        given.check(kind, provider)
    check(callbacks)


def _start(entries: Iterable[EntryPoint]) -> None:
    """Start instrumentors that are not at work. One that fails does not stop the others."""
    for entry in entries:
        with guard(f"instrumenting {entry.name}"):
            entry.load()().attempt()


def start(
    settings: Settings,
    tracer_provider: Any = None,
    meter_provider: Any = None,
    logger_provider: Any = None,
    *,
    callbacks: Callbacks | None = None,
) -> None:
    """Install a runtime with these settings and providers."""
    telemetry = Telemetry(
        settings,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=logger_provider,
        begin=False,
    )
    telemetry.check()  # What is refused must not have begun: some of that cannot be taken back.
    telemetry.begin()
    runtime.install(Runtime(settings, telemetry, callbacks))


def uninstrument() -> None:
    """Put everything back exactly as it was, also what `opentelemetry-instrument` has started.

    Streams that are open go on being traced; once the last one has ended, what waits is sent and
    our own providers are closed.
    """
    global _arguments
    for instrumentor in list(runtime.instrumented.values()):
        with guard("uninstrumenting"):
            instrumentor.uninstrument()
    _arguments = None
    retired = runtime.installed()
    runtime.install(None)
    if retired is not None:
        retired.retire()


def candidates() -> list[EntryPoint]:
    """Our instrumentors among the installed entry points."""
    from importlib.metadata import entry_points

    found = entry_points(group=GROUP)
    return sorted((e for e in found if e.name.startswith(PREFIX)), key=lambda e: e.name)


def chosen(reading: Reading) -> list[EntryPoint]:
    """Those of them that `only` and `exclude` leave in.

    Raises:
        SettingsError: One of the two names what does not exist.
    """
    known = candidates()
    names = {name for entry in known for name in (entry.name, entry.name.removeprefix(PREFIX))}
    for field in ("only", "exclude"):
        for name in getattr(reading.settings, field):
            if name not in names:
                allowed = ", ".join(sorted(e.name.removeprefix(PREFIX) for e in known))
                wrong = f"{reading.place(field)}={name!r}"
                raise SettingsError(f"{wrong}: no such instrumentor; there are: {allowed}")

    return [entry for entry in known if reading.settings.chooses(entry.name)]


@contextmanager
def suppress() -> Iterator[None]:
    """A block whose calls are not traced: in this task or thread, and in tasks that it starts."""
    token = otel_context.attach(otel_context.set_value(runtime.SUPPRESS, True))
    try:
        yield
    finally:
        otel_context.detach(token)


_ATTRIBUTE_NAMES = {
    "conversation_id": semconv.CONVERSATION_ID,
    "session_id": semconv.SESSION_ID,
    "user_id": semconv.USER_ID,
}


@contextmanager
def attributes(**facts: str | bool | int | float) -> Iterator[None]:
    """Put facts of one's own on the spans of the calls inside, across tasks.

    `session_id`, `user_id` and `conversation_id` get the convention's names; others keep theirs.
    """
    named = {_ATTRIBUTE_NAMES.get(name, name): value for name, value in facts.items()}
    around: Any = otel_context.get_value(runtime.ATTRIBUTES) or {}
    context = otel_context.set_value(runtime.ATTRIBUTES, {**around, **named})
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)


def untraced(client: Client) -> Client:
    """A copy of an SDK's client, sharing its connections, whose calls are not traced.

    For one client, `client = untraced(OpenAI())`; for one call,
    `untraced(client).responses.create(…)`.

    Raises:
        TypeError: It is no client.
    """
    from otel_stream.stainless import UNTRACED

    kind = f"the class {client.__name__}" if isinstance(client, type) else type(client).__name__
    refusal = TypeError(f"untraced() expects an SDK client, such as openai.OpenAI(), not {kind}")
    if isinstance(client, type):
        raise refusal
    other = client.copy() if hasattr(client, "copy") else copy.copy(client)
    try:
        setattr(other, UNTRACED, True)
        for name in ("copy", "with_options"):  # A copy of it is not to be traced either.
            if hasattr(other, name):
                setattr(other, name, partial(_untraced_copy, getattr(other, name)))
    except AttributeError:  # Numbers, texts, None and the like take no mark.
        raise refusal from None
    return other


def _untraced_copy(copied: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return untraced(copied(*args, **kwargs))


def flush(timeout: float | None = None) -> bool:
    """Send what is waiting, in at most `timeout` seconds. Returns whether all of it went."""
    current = runtime.current()
    bound = current.settings.shutdown_timeout if timeout is None else timeout
    until = time.monotonic() + bound
    drained = current.drain(bound)
    return current.telemetry.flush(max(0.0, until - time.monotonic())) and drained


def shutdown(timeout: float | None = None) -> None:
    """End open streams, send what is waiting, and close our own providers: for short processes.

    Takes at most `timeout` seconds. Later calls are traced into the application's own providers, if
    it has any.
    """
    current = runtime.current()
    bound = current.settings.shutdown_timeout if timeout is None else timeout
    until = time.monotonic() + bound
    runtime.end_streams()
    current.drain(bound)
    current.telemetry.shutdown(max(0.0, until - time.monotonic()))
