"""Where a setting is said: an argument, a variable of ours, a standard variable."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from otel_stream import values
from otel_stream.errors import SettingsError
from otel_stream.values import Value

__all__ = ["ARGUMENT", "KNOWN_ELSEWHERE", "look_up", "nearest", "unknown_variables", "variable"]

PREFIX = "OTEL_STREAM_"
KNOWN_ELSEWHERE = tuple(PREFIX + n for n in ("HASH_KEY", "RECORDINGS", "CHECK_", "COLLECTOR_"))
"""Variables with our prefix, or their beginnings, that other parts of the project read."""
ARGUMENT = "argument"
"""The source of a setting that was given as an argument."""

T = TypeVar("T")


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def look_up(
    field: dataclasses.Field[Any], argument: object, remarks: list[str]
) -> tuple[str, Any] | None:
    """Where one setting was said, and its value, checked; None when nothing was."""
    value: Value[Any] = field.metadata["value"]
    if argument is not None:
        return ARGUMENT, _checked(field.name, argument, value.check, value.private)
    ours = variable(field.name)
    if text := os.environ.get(ours, "").strip():
        return ours, _checked(ours, text, value.parse, value.private)
    for name in field.metadata["also"]:
        if text := os.environ.get(name, "").strip():
            try:
                return name, _checked(name, text, values.STANDARD.get(name, value).parse)
            except SettingsError as problem:
                remarks.append(f"{problem}; the variable is ignored")
    return None


def _checked(source: str, given: Any, check: Callable[[Any], T], private: bool = False) -> T:
    try:
        return check(given)
    except ValueError as wrong:
        said = source if private else f"{source}={given!r}"
        raise SettingsError(f"{said}: expected {wrong}") from None


def unknown_variables(names: Iterable[str]) -> list[str]:
    known = {variable(name) for name in names}.union(KNOWN_ELSEWHERE)
    return [
        f"{name} is not a variable that is read{nearest(name, known)}"
        for name in os.environ
        if name.startswith(PREFIX) and name not in known and not name.startswith(KNOWN_ELSEWHERE)
    ]


def nearest(name: str, names: Iterable[str]) -> str:
    import difflib  # 1 ms, and hardly ever needed

    close = difflib.get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]}?" if close else ""
