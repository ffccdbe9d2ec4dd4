"""Checks what callers pass, so that a slip is told as an error of ours, by the argument's name."""

import math
from numbers import Real
from typing import Any
from urllib.parse import quote

from predictq.errors import Detail, InvalidRequest


def unfit(argument: str, why: str) -> InvalidRequest:
    """What is said of an argument that cannot be meant."""
    what = f"{argument}: {why}"
    return InvalidRequest(422, "invalid", what, (Detail((argument,), what),))


def text(argument: str, value: Any) -> str:
    """The value, if it is text that can be sent."""
    if not isinstance(value, str):
        raise unfit(argument, f"expected text, got {told(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise unfit(argument, f"{value!r} holds half of a character") from error
    return value


def number(argument: str, value: Any) -> float:
    """The value, if it is a number, as one of Python's own."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    try:
        given = float(value) if is_number else math.nan
    except OverflowError as error:
        raise unfit(argument, "the number is too large") from error
    if math.isnan(given):
        raise unfit(argument, f"expected a number, got {told(value)}")
    return int(value) if isinstance(value, int) else given


def count(argument: str, value: Any) -> int:
    """The value, if it is a whole number."""
    given = number(argument, value)
    if given % 1:
        raise unfit(argument, f"expected a whole number, got {value}")
    return int(given)


def seconds(argument: str, value: Any) -> float:
    """The value, if it is a time; without end is one."""
    given = number(argument, value)
    if given < 0:
        raise unfit(argument, f"expected seconds, 0 or more, got {value}")
    return given


def flag(argument: str, value: Any) -> bool:
    """The value, if it is true or false."""
    if not isinstance(value, bool):
        raise unfit(argument, f"expected True or False, got {told(value)}")
    return value


def part(argument: str, value: Any) -> str:
    """A name or id as a part of a path."""
    if (name := text(argument, value)) in ("", ".", ".."):  # these would lead elsewhere
        raise unfit(argument, f"expected a name or an id, got {value!r}")
    return quote(name, safe="@:")


def key(value: Any) -> str:
    """The value, if it can be an idempotency key: that travels in a header."""
    argument = "idempotency_key"
    name = text(argument, value)
    if not name or name != name.strip() or not (name.isascii() and name.isprintable()):
        raise unfit(argument, f"expected printable ASCII characters, got {value!r}")
    return name


def told(value: Any) -> str:
    """What a value is, in words."""
    if value is None or isinstance(value, float):
        return str(value)
    return f"a value of type {type(value).__name__}"
