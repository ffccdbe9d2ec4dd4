"""Names: references, such as ``churn@production``, and suggestions for a misspelt name."""

import re
from bisect import bisect
from collections.abc import Collection
from difflib import get_close_matches

import msgspec

from telemetry.errors import Detail, Invalid

_NAME = r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}"
_RULE = "a letter or digit, then at most 63 letters, digits, '.', '_' or '-'"
_ROUTE = "status"
"""No model has this name, because `GET /models/status` is about all models."""
MAX_VERSION = 10**9 - 1
"""The greatest number of a version: nine digits, as in a reference."""
MAX_COMPARED_NAMES = 64
"""Names compared; one similar name takes up to half a millisecond of the event loop's time."""
MAX_NAME_CHARS = 64
"""Longest name that is compared; no valid name is longer."""
MAX_SUGGESTIONS = 3
_name = re.compile(_NAME)
# No leading zero: a version has one spelling, as it is part of keys, in caches and in Redis.
_reference = re.compile(rf"({_NAME})(?:@({_NAME})|:([1-9][0-9]{{0,8}}))?")


class Reference(msgspec.Struct, frozen=True):
    """A parsed reference; without alias and version it means the latest version."""

    name: str
    alias: str | None = None
    version: int | None = None


def parse_reference(text: str) -> Reference:
    """Parse ``name``, ``name@alias`` or ``name:version``; raises `Invalid` for anything else."""
    match = _reference.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        msg = f"model must be 'name', 'name@alias' or 'name:version', not {str(text)[:100]!r}"
        raise Invalid(msg, errors=[Detail(("model",), msg)])
    name, alias, version = match.groups()
    return Reference(name, alias, int(version) if version else None)


def checked_name(text: str, what: str = "name") -> str:
    """Return ``text`` if it is a valid name of a model or alias, else raise `Invalid`."""
    is_taken = what == "name" and text == _ROUTE
    if _name.fullmatch(text) and not is_taken:
        return text
    rule = f"/models/{_ROUTE} is a route of its own" if is_taken else _RULE
    msg = f"{text[:100]!r} cannot be a model's {what}: {rule}"
    raise Invalid(msg, errors=[Detail((what,), msg)])


def did_you_mean(written: str, names: Collection[str]) -> str:
    """A question with the most similar names; empty if none is similar."""
    if len(written) > MAX_NAME_CHARS:
        return ""
    near = _near(written, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _near(written: str, names: Collection[str]) -> list[str]:
    by_folded, folded = {name.casefold(): name for name in names}, written.casefold()
    found = get_close_matches(folded, _around(folded, sorted(by_folded)), MAX_SUGGESTIONS)
    return [by_folded[name] for name in found]


def _around(written: str, names: list[str]) -> list[str]:
    """The names next to it in sorted order: those that share the longest prefix with it."""
    first = max(bisect(names, written) - MAX_COMPARED_NAMES // 2, 0)
    return names[first : first + MAX_COMPARED_NAMES] if len(names) > MAX_COMPARED_NAMES else names
