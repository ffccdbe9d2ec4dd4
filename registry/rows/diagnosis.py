"""Finds the errors in features that fail validation: row, column, and what was expected.

Messages count rows from 1; ``loc`` and ``row`` of a detail count from 0.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from registry.manifest import Column, Signature
from registry.rows.values import fault, in_words
from telemetry.errors import Detail, InvalidFeatures

MAX_DETAILS = 20
STRANGE_NAMES = 3
QUOTED_NAME_CHARS = 100
Loc = tuple[str | int, ...]
_KINDS: dict[type, str] = {list: "a list", dict: "an object"}
_SHAPES = "a row as a list, rows as a list of lists, a row as an object, or a list of objects"


def diagnose(signature: Signature, features: Any) -> None:
    """Raise `InvalidFeatures` with the first `MAX_DETAILS` errors, if there are any."""
    # Lazily: a request may have ten thousand wrong rows.
    refuse(_faults(signature, features))


def refuse(faults: Iterable[Detail]) -> None:
    """Raise `InvalidFeatures` with the first `MAX_DETAILS` of them, if there are any."""
    if details := list(islice(faults, MAX_DETAILS)):
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        raise InvalidFeatures(details[0].msg + more, errors=details)


def shapes(signature: Signature) -> str:
    """The shapes that ``features`` may have, in words."""
    plain = len(signature.columns) == 1
    return f"{_SHAPES}, or, as the model has one column, a list of values" if plain else _SHAPES


def _faults(signature: Signature, features: Any) -> Iterator[Detail]:
    loc: Loc = ("features",)
    if isinstance(features, dict):
        yield from _object_faults(signature, features, 0, loc)
    elif not isinstance(features, list):
        yield Detail(loc, f"features must be {shapes(signature)}; got {in_words(features)}")
    elif not features:
        yield Detail(loc, "features must have at least one row")
    # The first item tells the shape that was meant; the others are compared with it.
    elif isinstance(features[0], list | dict):
        for number, row in enumerate(features):
            yield from _row_faults(signature, row, number, type(features[0]))
    elif len(signature.columns) == 1:
        for number, value in enumerate(features):
            yield from _value_faults(signature.columns[0], value, number, (*loc, number))
    else:
        yield from _list_faults(signature, features, 0, loc)


def _row_faults(signature: Signature, row: Any, number: int, kind: type[Any]) -> Iterator[Detail]:
    loc = ("features", number)
    if type(row) is not kind:
        msg = f"row {number + 1}: expected {_KINDS[kind]} like row 1, got {in_words(row)}"
        yield Detail(loc, msg, number)
    elif isinstance(row, dict):
        yield from _object_faults(signature, row, number, loc)
    else:
        yield from _list_faults(signature, row, number, loc)


def _list_faults(signature: Signature, row: list[Any], number: int, loc: Loc) -> Iterator[Detail]:
    expected = len(signature.columns)
    if len(row) != expected:
        msg = f"row {number + 1} has {_count(len(row))}, expected {expected}"
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
    instead = strange_names(signature, row)
    for column in signature.columns:
        if column.name in row:
            yield from _value_faults(column, row[column.name], number, (*loc, column.name))
        elif not column.unused:
            msg = f"row {number + 1}: column {column.name!r} is missing{instead}"
            yield Detail((*loc, column.name), msg, number)


def strange_names(signature: Signature, names: Iterable[str]) -> str:
    """The first names that the model does not have, in words: the missing one may be misspelt.

    A row may have a million names, so the search ends with the third; names may be long, too.
    """
    known = {column.name for column in signature.columns}
    strange = [*islice((name for name in names if name not in known), STRANGE_NAMES)]
    told = ", ".join(repr(name[:QUOTED_NAME_CHARS]) for name in strange)
    return f"; the model has no column {told}" if told else ""


def _value_faults(column: Column, value: Any, number: int, loc: Loc) -> Iterator[Detail]:
    wrong = fault(column, value)
    if wrong:
        yield Detail(loc, f"row {number + 1}, column {column.name!r}: {wrong}", number)


def _count(features: int) -> str:
    return "1 feature" if features == 1 else f"{features} features"
