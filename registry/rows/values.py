"""The values that each column type takes on the wire, and the error of any other value."""

import math
import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from registry.manifest import Column

NUMBERS = frozenset({int, float})
PARSED = frozenset({"datetime", "duration", "date", "decimal"})
"""Types whose values must be parsed one by one, since their Python type does not say enough."""
_LARGEST = int(sys.float_info.max)
_NO_INFINITY = "infinity is not allowed here"
_MAX_QUOTED_CHARS = 40
"""Characters of a value that an error message quotes."""
_ZONE = r"(Z|[+-]\d\d:?\d\d)?"
_TIME = re.compile(
    rf"\d{{4}}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?{_ZONE})?|\d{{8}}(T\d{{6}}{_ZONE})?", re.ASCII
)
"""The subset of ISO 8601 that both pandas and Python read."""
_NANOSECONDS = range(1678, 2262)
"""Years that fit into 64-bit nanoseconds."""
_DURATION = re.compile(
    r"[+-]?(?:(\d{1,18}|\d{1,5} days?( [+-]?\d\d:\d\d:\d\d(\.\d{1,9})?)?"
    r"|\d{1,5}:\d\d:\d\d(\.\d{1,9})?"
    r"|\d{1,5} ?[Dd]|\d{1,6} ?h|\d{1,7} ?(m|min)|\d{1,9}(\.\d{1,9})? ?s|\d{1,12} ?ms|\d{1,15} ?us"
    r"|\d{1,18} ?ns)"
    r"|P(?=\d|T\d)(\d{1,5}D)?(T(?=\d)(\d{1,4}H)?(\d{1,6}M)?(\d{1,8}(\.\d{1,9})?S)?)?)",
    re.ASCII,
)
"""Durations as written by pandas or ISO 8601, within the range of 64-bit nanoseconds."""
_SCALARS = frozenset({int, float, str, bool})
_TEXT = frozenset({str})
_TYPES: dict[str, frozenset[type]] = {
    "number": NUMBERS,
    "string": _TEXT,
    "boolean": frozenset({bool}),
    "datetime": _TEXT,
    "duration": _TEXT,
    "date": _TEXT,
    "decimal": NUMBERS | _TEXT,
    "any": _SCALARS,
}
EXPECTED = {
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "category": "a category",
    "datetime": "a time as ISO 8601 text",
    "duration": "a duration as text",
    "date": "a date as ISO 8601 text",
    "decimal": "a decimal number",
    "any": "a number, a string or a boolean",
}
_GIVEN: dict[type, Callable[[Any], str]] = {
    int: lambda value: f"the number {value}",
    float: lambda value: f"the number {value}",
    str: lambda value: f"the string {value!r}",
    bool: lambda value: str(value).lower(),
    list: lambda value: f"a list of {len(value)}",
    dict: lambda _: "an object",
    type(None): lambda _: "null",
}


def accepted_types(column: Column) -> frozenset[type]:
    """The Python types of the values that a column takes."""
    return _types(column) | ({type(None)} if column.nullable else set())


def is_missing(value: Any) -> bool:
    """Whether a value is missing: null, or the NaN that the tolerant parser accepts."""
    return value is None or (type(value) is float and math.isnan(value))


def fault(column: Column, value: Any) -> str | None:
    """Why the column does not take the value; None if it does."""
    if column.unused:
        return None
    if is_missing(value):  # before the types: NaN is a float in a column of any type
        return None if column.nullable else "a missing value is not allowed here"
    if type(value) not in _types(column):
        return f"expected {expected(column)}, got {in_words(value)}"
    if type(value) is int and abs(value) > _LARGEST:
        return "the number is too large for a float"
    if type(value) is float and math.isinf(value) and not column.infinite:
        return _NO_INFINITY
    return _PARSERS[column.type](column, value) if column.type in PARSED else None


def expected(column: Column) -> str:
    """The values that the column takes, in words."""
    if column.type != "category":
        return EXPECTED[column.type]
    known = ", ".join(repr(value) for value in (column.categories or ())[:5])
    more = ", …" if len(column.categories or ()) > 5 else ""
    return f"a category such as {known}{more}"


def in_words(value: Any) -> str:
    """A value in words, shortened."""
    told = _GIVEN.get(type(value), lambda value: type(value).__name__)(value)
    return told if len(told) <= _MAX_QUOTED_CHARS else told[:_MAX_QUOTED_CHARS] + "…"


def _types(column: Column) -> frozenset[type]:
    if column.type == "category":
        # By type, not by value: the model decides about categories that it has never seen.
        kinds = {type(value) for value in column.categories or ()}
        return frozenset(kinds | NUMBERS if kinds & NUMBERS else kinds) or _SCALARS
    # Without a known dtype, the model may have been trained on booleans as well.
    if column.type == "number" and not column.dtype:
        return NUMBERS | {bool}
    return _TYPES[column.type]


def _datetime_fault(column: Column, value: str) -> str | None:
    if not _TIME.fullmatch(value):
        return f"expected {EXPECTED['datetime']}, got {in_words(value)}"
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        return f"expected {EXPECTED['datetime']}, got {in_words(value)}{_why(error)}"
    if _is_beyond(column, moment.year):
        return f"the time is outside the range of the model's column, got {in_words(value)}"
    has_offset = moment.tzinfo is not None
    if has_offset and "," not in column.dtype:
        return f"the model was trained on times without a zone, got {in_words(value)}"
    if not has_offset and "," in column.dtype:
        return f"the model was trained on times with a zone, got {in_words(value)}; add its offset"
    return None


def _is_beyond(column: Column, year: int) -> bool:
    if not column.dtype or "[ns" in column.dtype:
        return year not in _NANOSECONDS
    return "," in column.dtype and not 1 < year < 9999  # the offset may lead out of Python's years


def _duration_fault(_: Column, value: str) -> str | None:
    if _DURATION.fullmatch(value):
        return None
    return f"expected {EXPECTED['duration']}, got {in_words(value)}"


def _date_fault(_: Column, value: str) -> str | None:
    try:
        date.fromisoformat(value)
    except ValueError as error:
        return f"expected {EXPECTED['date']}, got {in_words(value)}{_why(error)}"
    return None


def _why(error: ValueError) -> str:
    """The error of a text in the right form, such as the day of 2021-02-30."""
    return "" if str(error).startswith("Invalid") else f": {error}"


def _decimal_fault(column: Column, value: Any) -> str | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan():
        return f"expected {EXPECTED['decimal']}, got {in_words(value)}"
    return _NO_INFINITY if number.is_infinite() and not column.infinite else None


_PARSERS: dict[str, Callable[[Column, Any], str | None]] = {
    "datetime": _datetime_fault,
    "duration": _duration_fault,
    "date": _date_fault,
    "decimal": _decimal_fault,
}
