"""Reads the first line of a log entry: ours are JSON; Redis and Flower have forms of their own."""

import re
from datetime import datetime
from typing import Any

import msgspec

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
"""From the least to the gravest."""
_REDIS = re.compile(
    rb"\d+:[A-Z] (?P<time>\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) (?P<level>[.*#-]) (?P<event>.*)"
)
_FLOWER = re.compile(
    rb"\[(?P<level>[DIWEC]) (?P<time>\d{6} \d\d:\d\d:\d\d) (?P<logger>[\w.:-]+)\] (?P<event>.*)"
)
_REDIS_TIME, _FLOWER_TIME = "%d %b %Y %H:%M:%S.%f", "%y%m%d %H:%M:%S"
_REDIS_LEVELS = {".": "debug", "-": "info", "*": "info", "#": "warning"}
_FLOWER_LEVELS = {level[0].upper(): level for level in LOG_LEVELS}
_json = msgspec.json.Decoder(dict[str, Any])


class LogHead(msgspec.Struct, frozen=True):
    """The first line of an entry."""

    at: float
    """Unix seconds."""
    fields: dict[str, Any]
    """As logged, with `timestamp`, `level` and `event`."""


def is_head(line: bytes) -> bool:
    """Whether an entry begins with this line, by its look. Other lines belong to the one before."""
    if line.startswith(b'{"'):
        return line.endswith(b"}") and b'"timestamp": "' in line
    return bool(_REDIS.match(line) or _FLOWER.match(line))


def read_head(line: bytes) -> LogHead | None:
    """Read the first line of an entry; None if it is none."""
    if line.startswith(b"{"):
        return _ours(line)
    if found := _REDIS.fullmatch(line):
        return _foreign(found, _REDIS_TIME, _REDIS_LEVELS)
    if found := _FLOWER.fullmatch(line):
        return _foreign(found, _FLOWER_TIME, _FLOWER_LEVELS)
    return None


def spellings(level: str) -> tuple[bytes, ...]:
    """How lines of this level or a graver one spell it."""
    wanted = LOG_LEVELS[LOG_LEVELS.index(level) :]
    redis = [f" {mark} " for mark, each in _REDIS_LEVELS.items() if each in wanted]
    flower = [f"[{letter} " for letter, each in _FLOWER_LEVELS.items() if each in wanted]
    return tuple(text.encode() for text in (*(f'"level": "{w}"' for w in wanted), *redis, *flower))


def _ours(line: bytes) -> LogHead | None:
    try:
        fields = _json.decode(line)
        return LogHead(datetime.fromisoformat(fields["timestamp"]).timestamp(), fields)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None


def _foreign(found: re.Match[bytes], form: str, levels: dict[str, str]) -> LogHead | None:
    """A line with a local time."""
    fields = {name: text.decode(errors="replace") for name, text in found.groupdict().items()}
    try:
        at = datetime.strptime(fields.pop("time"), form).astimezone()
    except ValueError:
        return None
    known = {"timestamp": at.isoformat(), "level": levels[fields.pop("level")]}
    return LogHead(at.timestamp(), {**fields, **known})
