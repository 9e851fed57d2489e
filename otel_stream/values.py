"""The kinds of values that settings have: what is allowed as an argument and as text.

`check` takes an argument, `parse` the text of an environment variable. Both return the value, and
raise `ValueError` with what would have been allowed, to be read after "expected ".
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, TypeVar, cast

__all__ = ["STANDARD", "Value"]

T = TypeVar("T")
M = TypeVar("M")
Capture = Literal["none", "span", "event", "both"]
Redact = Callable[[str], str]
_STORE_METHODS = ("put", "find", "mark")
_STORES = ("sqlite:", "postgresql:", "postgres:")


class Value(Generic[T]):
    """One kind of value.

    Args:
        expected: What is allowed, in words.
        check: Makes the value of an argument; raises `ValueError` or `TypeError` when it cannot.
        parse: Makes an argument of text; raises the same.
        private: What is given may hold a password, and is not said again.
    """

    __slots__ = ("_check", "_parse", "expected", "private")

    def __init__(
        self,
        expected: str,
        check: Callable[[Any], T],
        parse: Callable[[str], object] = str,
        *,
        private: bool = False,
    ) -> None:
        self.expected = expected
        self.private = private
        self._check = check
        self._parse = parse

    def check(self, argument: object) -> T:
        """The value of an argument. Raises `ValueError` with what is expected."""
        return self._made(self._check, argument)

    def parse(self, text: str) -> T:
        """The value of a variable's text. Raises `ValueError` with what is expected."""
        return self._made(self._check, self._made(self._parse, text))

    def _made(self, make: Callable[[Any], M], given: object) -> M:
        try:
            return make(given)
        except _Because as reason:
            raise ValueError(f"{self.expected} ({reason})") from None
        except (TypeError, ValueError):
            raise ValueError(self.expected) from None


class _Because(ValueError):
    """Why a value cannot be used, where the kind alone does not say it."""


def one_of(*allowed: str) -> Value[Any]:
    """One of a few words."""

    def check(argument: object) -> object:
        if argument not in allowed:
            raise ValueError
        return argument

    return Value(f"one of {', '.join(allowed)}", check, str.lower)


def _typed(kind: type[T], holds: Callable[[T], bool]) -> Callable[[object], T]:
    def check(argument: object) -> T:
        if type(argument) is not kind or not holds(argument):
            raise ValueError
        return argument

    return check


def _seconds(holds: Callable[[float], bool]) -> Callable[[object], float]:
    def check(argument: object) -> float:
        if isinstance(argument, bool) or not isinstance(argument, int | float):
            raise TypeError
        seconds = float(argument)
        if not math.isfinite(seconds) or not holds(seconds):
            raise ValueError
        return seconds

    return check


def _flag(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True}
    words |= {"false": False, "0": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError
    return words[text.lower()]


def _capture(argument: object) -> Capture:
    if isinstance(argument, bool):
        return "span" if argument else "none"
    if argument not in ("none", "span", "event", "both"):
        raise ValueError
    return argument


def _capture_text(text: str) -> str:
    """Our words, true and false, and those of the GenAI instrumentations' variable."""
    words = {"true": "span", "false": "none", "no_content": "none", "span_only": "span"}
    words |= {"event_only": "event", "span_and_event": "both"}
    return words.get(text.lower(), text.lower())


def _path(argument: object) -> str:
    path: object = os.fspath(cast("str", argument))
    if not isinstance(path, str) or not path:
        raise ValueError
    return path


def _names(argument: object) -> tuple[str, ...]:
    given = argument.split(",") if isinstance(argument, str) else cast("Iterable[str]", argument)
    names = tuple(name.strip() for name in map(_string, given))
    return tuple(name for name in names if name)


def _string(argument: object) -> str:
    if not isinstance(argument, str):
        raise TypeError
    return argument


def _redact(argument: object) -> Redact:
    function = _imported(argument) if isinstance(argument, str) else argument
    if not callable(function):
        raise ValueError
    return cast("Redact", function)


def _store(argument: object) -> object:
    """A store, or the address of one."""
    if isinstance(argument, str) and not argument.startswith(_STORES):
        raise ValueError
    if not isinstance(argument, str) and not all(hasattr(argument, n) for n in _STORE_METHODS):
        raise TypeError
    return argument


def _imported(place: str) -> object:
    """The object that "module:name" names. Any failure to import it is the caller's to know."""
    import importlib

    module, _, name = place.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001 - a module that is imported may raise anything
        raise _Because(f"{type(error).__name__}: {error}") from None
    return found


NAME = Value("a text that is not empty", _typed(str, bool))
HOST = Value("the name or address of a host", _typed(str, bool))
FLAG = Value("true or false", _typed(bool, lambda _: True), _flag)
COUNT = Value("a whole number, 0 or more", _typed(int, lambda number: number >= 0), int)
POSITIVE = Value("a whole number, 1 or more", _typed(int, lambda number: number >= 1), int)
PORT = Value("a port, 0 to 65535", _typed(int, lambda number: 0 <= number <= 65_535), int)
SECONDS = Value("seconds, more than 0", _seconds(lambda seconds: seconds > 0), float)
SECONDS_OR_NONE = Value("seconds, 0 or more", _seconds(lambda seconds: seconds >= 0), float)
PATH = Value("a path", _path)
NAMES = Value("names with commas between them, or a list of names", _names)
REDACT = Value("a function, or module:function", _redact)
STORE = Value("sqlite:PATH, postgresql://…, or a DeliveryStore", _store, private=True)
CAPTURE = Value("one of none, span, event, both, true, false", _capture, _capture_text)

STANDARD: dict[str, Value[Any]] = {
    "OTEL_METRICS_EXPORTER": Value(
        "names with commas between them", bool, lambda text: "prometheus" in _names(text)
    ),
    # "Any value other than true is false": OpenTelemetry's rule for its boolean variables.
    "OTEL_SDK_DISABLED": Value("true or false", bool, lambda text: text.lower() == "true"),
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": Value(
        "one of NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT", _capture, _capture_text
    ),
}
"""How standard variables are read where that is not how ours are."""
