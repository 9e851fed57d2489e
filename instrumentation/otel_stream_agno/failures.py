"""What an exception out of Agno means, and how much of a failure is told."""

from __future__ import annotations

from otel_stream import interruption
from otel_stream.content import tellable
from otel_stream.delta import Failure
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.record.recorder import Recorder
from otel_stream.settings import Settings
from otel_stream.span import error_type_of

__all__ = ["outcome_of_error", "withhold"]

_CLIENTS = frozenset(
    {
        "aiohttp", "anthropic", "anyio", "asyncio", "h11", "h2", "httpcore", "httpcore2", "httpx",
        "httpx2", "openai", "requests", "urllib3",
    }
)  # fmt: skip
"""Packages whose exceptions say what a provider has answered, or what the network did."""


def outcome_of_error(error: BaseException) -> Outcome:
    """Like any other, but that Agno has an exception for a run that somebody cancelled."""
    if any(kind.__name__ == "RunCancelledException" for kind in type(error).__mro__):
        return Outcome.CANCELLED
    return interruption.of_error(error)


def withhold(recorder: Recorder, settings: Settings) -> None:
    """Tell of a failed run's failure what content capture allows: all, a redacted text, or no more
    than its code.

    What an input's check, a hook or a schema says repeats what was asked. Exceptions of the
    provider's SDK and of the network do not, and are told as they are.
    """
    error, failure = recorder.error, recorder.tally.failure
    if recorder.outcome is not Outcome.ERROR:
        return
    if settings.capture_content in ("span", "both") and settings.redact is None:
        return
    with guard("judging an exception"):
        if error is not None and _is_told(error):
            return
    code = error_type_of(recorder) or ""
    recorder.error = None
    recorder.tally.failure = Failure(code, f"HTTP {code}" if code.isdecimal() else code)
    said = str(error) if error is not None else failure.message if failure is not None else ""
    if told := tellable(said, settings):
        recorder.tally.failure = Failure(code, told)


def _is_told(error: BaseException) -> bool:
    """Whether all that its stack trace repeats is of the provider or the network."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        if not _is_theirs(link) or hasattr(link, "__notes__"):
            return False
        seen.add(id(link))
        context = None if link.__suppress_context__ else link.__context__
        link = context if link.__cause__ is None else link.__cause__
    return True


def _is_theirs(error: BaseException) -> bool:
    package = type(error).__module__.partition(".")[0]
    if package == "agno":  # It puts what a client has raised into an exception of its own.
        return error.__cause__ is not None
    if package in ("builtins", "socket", "ssl"):
        return isinstance(error, OSError) and error.filename is None
    return package in _CLIENTS
