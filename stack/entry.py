"""One line of a server's log, in whatever form it is written. Knows no files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

__all__ = ["READERS", "Entry", "logfmt", "zap"]

_LONGEST = 400
_LEVELS = {"warning": "warn", "dpanic": "error", "panic": "error", "fatal": "error"}
_ALWAYS = {"ts", "caller", "level", "lvl"}
_PAIR = re.compile(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)')
_BADGER = re.compile(r"badger (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) ([A-Z]+): (.*)")
_BROKEN = re.compile(r"(panic|fatal error|error):", re.IGNORECASE)


class Entry(NamedTuple):
    """What a line says. `time` is None where the line has none."""

    time: datetime | None
    level: str
    message: str


Read: TypeAlias = Callable[[str], Entry]


def zap(line: str) -> Entry:
    """Tabs between time, level, place, message and JSON: the collector and Jaeger.

    What Jaeger's storage writes in between has a form of its own.
    """
    parts = line.split("\t")
    time = _time(parts[0])
    if time is None or len(parts) < 3:
        return _badger(line)
    rest = parts[2:]
    fields = _fields(rest.pop()) if len(rest) > 1 and rest[-1].startswith("{") else {}
    # The place is left out where the logger has none.
    message = rest[1] if len(rest) > 1 else rest[0]
    return Entry(time, _level(parts[1]), _told(message, fields, "otelcol.component.id"))


def logfmt(line: str) -> Entry:
    """Pairs of names and values: Prometheus and InfluxDB."""
    pairs = {key: _unquoted(value) for key, value in _PAIR.findall(line)}
    if not {"ts", "msg"} & pairs.keys():
        return _plain(line)
    # A line may do without a message: then its values are it.
    rest = [f"{key}={value}" for key, value in pairs.items() if key not in _ALWAYS]
    message = pairs.get("msg") or " ".join(rest)
    level = pairs.get("level") or pairs.get("lvl") or ""
    fields = {"error": pairs.get("err") or pairs.get("error"), **pairs}
    where = "component" if "component" in pairs else "service"
    return Entry(_time(pairs.get("ts", "")), _level(level), _told(message, fields, where))


READERS: dict[str, Read] = {"agent": zap, "jaeger": zap, "prometheus": logfmt, "influxdb": logfmt}
"""How each server writes."""


def _badger(line: str) -> Entry:
    found = _BADGER.fullmatch(line)
    if found is None:
        return _plain(line)
    time = datetime.strptime(found[1], "%Y/%m/%d %H:%M:%S").astimezone()
    return Entry(time, _level(found[2]), found[3])


def _plain(line: str) -> Entry:
    return Entry(None, "error" if _BROKEN.match(line) else "info", line[:_LONGEST])


def _told(message: str, fields: Mapping[str, Any], where: str) -> str:
    """The message with the part that says it, and the error."""
    part, error = fields.get(where), fields.get("error")
    told = f"{part}: {message}" if part else message
    told = f"{told}: {error}" if error else told
    return " ".join(told.split())[:_LONGEST]


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unquoted(value: str) -> str:
    return str(json.loads(value)) if _is_json(value) else value.strip('"')


def _is_json(value: str) -> bool:
    try:
        return value.startswith('"') and isinstance(json.loads(value), str)
    except ValueError:
        return False


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _level(text: str) -> str:
    level = text.lower()
    return _LEVELS.get(level, level)
