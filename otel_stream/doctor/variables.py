"""The standard variables that the SDK and the OTLP exporters read: which of them they cannot.

Of a wrong one the SDK logs a line at most and takes its default, or it makes no provider at all.
What is expected is what the Python SDK reads: time-outs of OTLP are seconds there. Exporters' names
and protocols are checked in `export.destination`, and what settings read too in `settings`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from otel_stream.doctor.report import Problem
from otel_stream.export import destination
from otel_stream.settings import Settings
from otel_stream.values import Value

__all__ = ["OTLP", "SDK", "is_sampler", "problems"]

_CORRECT = "correct the variable, or unset it"
_SAMPLER = "OTEL_TRACES_SAMPLER"
_RATIOS = ("traceidratio", "parentbased_traceidratio")
_SAMPLERS = (
    "always_on", "always_off", "parentbased_always_on", "parentbased_always_off", *_RATIOS
)  # fmt: skip
_QUEUES = {"BSP": "spans", "BLRP": "log records"}
_QUEUE_SIZE, _BATCH_SIZE = 2_048, 512
"""The SDK's defaults."""


def _number(
    expected: str, read: Callable[[str], float], least: float, most: float = float("inf")
) -> Value[float]:
    def check(number: float) -> float:
        if not least <= number <= most:
            raise ValueError
        return number

    return Value(expected, check, read)


def _words(*allowed: str, read: Callable[[str], str]) -> Value[str]:
    def check(word: str) -> str:
        if word not in allowed:
            raise ValueError
        return word

    return Value(f"one of {', '.join(allowed)}", check, read)


def _pairs(pattern: str) -> Value[str]:
    def check(text: str) -> str:
        items = filter(None, map(str.strip, text.split(",")))
        if not all(re.fullmatch(pattern, item) for item in items):
            raise ValueError
        return text

    return Value("key=value, with commas between several", check)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return text


def _file(text: str) -> str:
    if not os.path.exists(text):
        raise ValueError
    return text


def _any_case(text: str) -> str:
    return text.strip().lower()


_LIMIT = _number("a whole number, 0 or more", int, 0)
_SIZE = _number("a whole number, 1 or more", int, 1)
_DELAY = _number("whole milliseconds, 1 or more", int, 1)
_WAIT = _number("whole milliseconds, 0 or more", int, 0)
_INTERVAL = _number("milliseconds, more than 0", float, 1e-6)
_SECONDS = _number("seconds, more than 0", float, 1e-6)
_RATIO = _number("a number from 0 to 1", float, 0, 1)
_URL = Value("a URL with its scheme, such as http://localhost:4318", _url)
_FILE = Value("the path of a file that exists", _file)
_HEADERS = _pairs(r"[!#-'*+.0-9A-Z^-z|~-]+\s*=[ !#-+\--:<-\[\]-~]*")
_EXEMPLARS = _words("always_on", "always_off", "trace_based", read=str)

SDK: dict[str, Value[Any]] = {
    "OTEL_ATTRIBUTE_COUNT_LIMIT": _LIMIT,
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": _LIMIT,
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": _LIMIT,
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": _LIMIT,
    "OTEL_SPAN_EVENT_COUNT_LIMIT": _LIMIT,
    "OTEL_SPAN_LINK_COUNT_LIMIT": _LIMIT,
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": _LIMIT,
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": _LIMIT,
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": _LIMIT,
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": _LIMIT,
    **{f"OTEL_{queue}_SCHEDULE_DELAY": _DELAY for queue in _QUEUES},
    **{f"OTEL_{queue}_EXPORT_TIMEOUT": _WAIT for queue in _QUEUES},
    **{f"OTEL_{queue}_MAX_QUEUE_SIZE": _SIZE for queue in _QUEUES},
    **{f"OTEL_{queue}_MAX_EXPORT_BATCH_SIZE": _SIZE for queue in _QUEUES},
    "OTEL_METRIC_EXPORT_INTERVAL": _INTERVAL,
    "OTEL_METRIC_EXPORT_TIMEOUT": _INTERVAL,
    "OTEL_METRICS_EXEMPLAR_FILTER": _EXEMPLARS,
    "OTEL_RESOURCE_ATTRIBUTES": _pairs(r"[^=]+=.*"),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": _words(
        "cumulative", "delta", "lowmemory", read=_any_case
    ),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": _words(
        "explicit_bucket_histogram", "base2_exponential_bucket_histogram", read=_any_case
    ),
}
"""What each variable of the SDK must be."""
OTLP: dict[str, Value[Any]] = {
    "HEADERS": _HEADERS,
    "TIMEOUT": _SECONDS,
    "COMPRESSION": _words("none", "gzip", "deflate", read=_any_case),
    "CERTIFICATE": _FILE,
    "CLIENT_CERTIFICATE": _FILE,
    "CLIENT_KEY": _FILE,
}
"""What those of the exporters must be, by what follows `OTEL_EXPORTER_OTLP_` and the signal."""


def problems(settings: Settings, private_signals: Sequence[str]) -> Iterator[Problem]:
    """Each variable that is set and cannot be read.

    Args:
        settings: Those in force.
        private_signals: Signals whose exporters are ours to choose; of others we do not know
            whether what they speak needs a URL.
    """
    if settings.disabled:
        return
    for name, value in SDK.items():
        yield from _wrong(name, value)
    yield from _sampler()
    for queue in _QUEUES:
        yield from _batch(queue)
    for signal in ("", "TRACES_", "METRICS_", "LOGS_"):
        for what, value in OTLP.items():
            yield from _wrong(f"OTEL_EXPORTER_OTLP_{signal}{what}", value)
    for name in _endpoints(settings, private_signals):
        yield from _wrong(name, _URL)


def is_sampler(name: str) -> bool:
    """Whether there is a sampler of this name."""
    if name.lower() in _SAMPLERS:
        return True
    from importlib.metadata import entry_points

    return name in entry_points(group="opentelemetry_traces_sampler").names


def _sampler() -> Iterator[Problem]:
    sampler = os.environ.get(_SAMPLER, "")
    if sampler.strip() and not is_sampler(sampler):
        what = f"{_SAMPLER}={sampler!r}: expected one of {', '.join(_SAMPLERS)}"
        yield Problem(what, _CORRECT)
    if sampler.lower() in _RATIOS:
        yield from _wrong(f"{_SAMPLER}_ARG", _RATIO)


def _batch(queue: str) -> Iterator[Problem]:
    """A batch that its queue cannot hold: then the SDK's queue, and with it a provider, fails."""
    limit, length = f"OTEL_{queue}_MAX_QUEUE_SIZE", f"OTEL_{queue}_MAX_EXPORT_BATCH_SIZE"
    try:
        size = int(os.environ.get(limit) or _QUEUE_SIZE)
        batch = int(os.environ.get(length) or _BATCH_SIZE)
    except ValueError:  # which is said elsewhere
        return
    if 0 < size < batch:
        what = f"{limit} is {size}, and {length} is {batch}: no {_QUEUES[queue]} can be exported"
        yield Problem(what, f"set {length} to {size} or less")


def _endpoints(settings: Settings, private_signals: Sequence[str]) -> list[str]:
    """The variables that say where something goes over HTTP, each once."""
    names: list[str] = []
    for signal in private_signals:
        try:
            places = destination.destinations(signal, settings)
        except ValueError:  # SettingsError, which is said elsewhere
            continue
        if any(place.exporter == destination.HTTP for place in places):
            names.append(destination.deciding(signal, "ENDPOINT"))
    return list(dict.fromkeys(filter(None, names)))


def _wrong(name: str, value: Value[Any]) -> Iterator[Problem]:
    text = os.environ.get(name, "")
    if not text.strip():
        return
    try:
        value.parse(text)
    except ValueError as expected:
        yield Problem(f"{_shown(name, text)}: expected {expected}", _CORRECT)


def _shown(name: str, text: str) -> str:
    """The variable with its text, but for what nobody else may read."""
    if name.endswith("_HEADERS"):
        return name
    if name.endswith("_ENDPOINT"):
        text = destination.without_credentials(text)
    return f"{name}={text!r}"
