"""Checks arguments, so that a mistake raises an `InvalidRequest` that names the argument."""

import math
from numbers import Real
from typing import Any
from urllib.parse import quote

from predictq.errors import Detail, InvalidRequest


def invalid_argument(argument: str, why: str) -> InvalidRequest:
    """The error for an argument that is wrong."""
    what = f"{argument}: {why}"
    return InvalidRequest(422, "invalid", what, (Detail((argument,), what),))


def text(argument: str, value: Any) -> str:
    """Return the value if it is text that can be encoded."""
    if not isinstance(value, str):
        raise invalid_argument(argument, f"expected text, got {described(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid_argument(
            argument, f"{value!r} contains an unpaired surrogate, which is not valid text"
        ) from error
    return value


def number(argument: str, value: Any) -> float:
    """Return the value as an int or float if it is a number."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    try:
        given = float(value) if is_number else math.nan
    except OverflowError as error:
        raise invalid_argument(argument, "the number is too large") from error
    if math.isnan(given):
        raise invalid_argument(argument, f"expected a number, got {described(value)}")
    return int(value) if isinstance(value, int) else given


def count(argument: str, value: Any) -> int:
    """Return the value if it is a whole number."""
    given = number(argument, value)
    if given % 1:
        raise invalid_argument(argument, f"expected a whole number, got {value}")
    return int(given)


def seconds(argument: str, value: Any) -> float:
    """Return the value if it is a duration in seconds, 0 or more; infinity is allowed."""
    given = number(argument, value)
    if given < 0:
        raise invalid_argument(argument, f"expected seconds, 0 or more, got {value}")
    return given


def flag(argument: str, value: Any) -> bool:
    """Return the value if it is a bool."""
    if not isinstance(value, bool):
        raise invalid_argument(argument, f"expected True or False, got {described(value)}")
    return value


def setting(argument: str, value: Any) -> bool | int:
    """Return the value if it is a bool, or a whole number of seconds from 1."""
    if isinstance(value, bool):
        return value
    if (given := count(argument, value)) < 1:
        raise invalid_argument(argument, f"expected True, False or seconds from 1, got {value}")
    return given


def part(argument: str, value: Any) -> str:
    """Return a name or id, quoted for use in a path."""
    if (name := text(argument, value)) in ("", ".", ".."):  # these would change the path
        raise invalid_argument(argument, f"expected a name or an id, got {value!r}")
    return quote(name, safe="@:")


def key(value: Any) -> str:
    """Return the value if it can be an idempotency key, which is sent in a header."""
    argument = "idempotency_key"
    name = text(argument, value)
    if not name or name != name.strip() or not (name.isascii() and name.isprintable()):
        raise invalid_argument(argument, f"expected printable ASCII characters, got {value!r}")
    return name


def described(value: Any) -> str:
    """Describe a value for an error message."""
    if value is None or isinstance(value, float):
        return str(value)
    return f"a value of type {type(value).__name__}"
