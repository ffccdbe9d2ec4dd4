"""Says exactly what is wrong with features: which row, which column, what was expected."""

import math
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from registry.manifest import Column, Signature
from telemetry.errors import Detail, InvalidFeatures

MAX_DETAILS = 20
NUMBERS = frozenset({int, float})
Loc = tuple[str | int, ...]

_LARGEST = int(sys.float_info.max)

_TAKEN: dict[tuple[str, bool], frozenset[type]] = {
    (kind, nullable): types | ({type(None)} if nullable else set())
    for kind, types in {
        "number": NUMBERS,
        "string": frozenset({str}),
        "boolean": frozenset({bool}),
        "any": frozenset({int, float, str, bool}),
    }.items()
    for nullable in (False, True)
}
EXPECTED = {
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "any": "a number, a string or a boolean",
}
_GIVEN = {
    int: "a number",
    float: "a number",
    str: "a string",
    bool: "a boolean",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def taken(column: Column) -> frozenset[type]:
    """The Python types of the values that a column takes."""
    return _TAKEN[column.type, column.nullable]


def is_missing(value: Any) -> bool:
    """Whether a value stands for nothing: null, or the NaN of a tolerant parser."""
    return value is None or (type(value) is float and math.isnan(value))


def check(signature: Signature, features: Any) -> None:
    """Raise `InvalidFeatures` with the first `MAX_DETAILS` faults, if there is any."""
    details = list(islice(_faults(signature, features), MAX_DETAILS))
    if details:
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        raise InvalidFeatures(details[0].msg + more, errors=details)


def _faults(signature: Signature, features: Any) -> Iterator[Detail]:
    loc: Loc = ("features",)
    if isinstance(features, dict):
        yield from _object_faults(signature, features, 0, loc)
    elif not isinstance(features, list):
        yield Detail(loc, f"features must be a row or a list of rows, not {_given(features)}")
    elif not features:
        yield Detail(loc, "features must have at least one row")
    elif isinstance(features[0], list | dict):
        for number, row in enumerate(features):
            yield from _row_faults(signature, row, number, type(features[0]))
    else:
        yield from _list_faults(signature, features, 0, loc)


def _row_faults(signature: Signature, row: Any, number: int, kind: type[Any]) -> Iterator[Detail]:
    loc = ("features", number)
    if type(row) is not kind:
        msg = f"row {number}: expected {_GIVEN[kind]} like row 0, got {_given(row)}"
        yield Detail(loc, msg, number)
    elif isinstance(row, dict):
        yield from _object_faults(signature, row, number, loc)
    else:
        yield from _list_faults(signature, row, number, loc)


def _list_faults(signature: Signature, row: list[Any], number: int, loc: Loc) -> Iterator[Detail]:
    expected = len(signature.columns)
    if len(row) != expected:
        msg = f"row {number} has {_count(len(row))}, expected {expected}"
        yield Detail(loc, msg, number)
        return
    for position, (column, value) in enumerate(zip(signature.columns, row, strict=True)):
        yield from _value_faults(column, value, number, (*loc, position))


def _object_faults(
    signature: Signature, row: dict[str, Any], number: int, loc: Loc
) -> Iterator[Detail]:
    if not signature.named:
        width = len(signature.columns)
        msg = f"the model has no column names, so a row is a list of {_count(width)}"
        yield Detail(loc, msg, number)
        return
    for name in sorted(row.keys() - {column.name for column in signature.columns}):
        yield Detail((*loc, name), f"row {number}: the model has no column {name!r}", number)
    for column in signature.columns:
        if column.name in row:
            yield from _value_faults(column, row[column.name], number, (*loc, column.name))
        else:
            msg = f"row {number}: column {column.name!r} is missing"
            yield Detail((*loc, column.name), msg, number)


def _value_faults(column: Column, value: Any, number: int, loc: Loc) -> Iterator[Detail]:
    wrong = fault(column, value)
    if wrong:
        yield Detail(loc, f"row {number}, column {column.name!r}: {wrong}", number)


def fault(column: Column, value: Any) -> str | None:
    """Why the column does not take the value; None where it does."""
    if is_missing(value):
        return None if column.nullable else "the model takes no missing value here"
    if type(value) not in taken(column):
        return f"expected {EXPECTED[column.type]}, got {_given(value)}"
    if type(value) is int and abs(value) > _LARGEST:
        return "the number is too large for a float"
    if type(value) is float and math.isinf(value) and not column.infinite:
        return "the model takes no infinity here"
    return None


def _given(value: Any) -> str:
    return _GIVEN.get(type(value), type(value).__name__)


def _count(features: int) -> str:
    return "1 feature" if features == 1 else f"{features} features"
