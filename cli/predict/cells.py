"""Converts CSV cells to values of a model's columns."""

import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from cli.predict.model_inputs import Column
from tasks.jobs.files.decimal_comma import (
    DECIMAL_COMMA,
    NO_COMMA,
    DecimalMark,
    not_a_number,
    with_point,
)
from tasks.jobs.files.dialect import BOOLEANS, is_number


class InvalidCell(ValueError):
    """The cell is not a value of its column."""


def value(column: Column, cell: str, missing: Collection[str], mark: DecimalMark = ".") -> Any:
    """Convert a cell; None means missing. Raises `InvalidCell` if a number is expected.

    Other values that the column does not accept are left for the server to refuse.
    """
    kind = _kind(column)
    text = cell if kind == "string" else cell.strip()
    if text in missing and text not in column.words and not _must_be_text(column, text):
        return None
    if mark == "," and kind in ("number", "any"):
        text = _pointed(column.name, text)
    if kind == "number":
        # Without a known dtype the model may have been trained on booleans.
        may_be_boolean = not column.dtype and text.lower() in ("true", "false")
        return BOOLEANS.get(text, text) if may_be_boolean else _number(column.name, text)
    if kind == "boolean":
        return BOOLEANS.get(text, text)
    return _by_look(text) if kind == "any" else text


def _kind(column: Column) -> str:
    """The type to read the text as."""
    if column.type in ("number", "boolean", "any"):
        return column.type
    numeric = [type(one) in (int, float) for one in column.categories]
    return ("number" if all(numeric) else "any") if any(numeric) else "string"


def _must_be_text(column: Column, text: str) -> bool:
    """Whether an empty string is a value: the column holds strings and is not nullable."""
    return not text and column.type == "string" and not column.nullable


def _pointed(name: str, text: str) -> str:
    """A number with a decimal comma, with a point instead; raises `InvalidCell` if it has one."""
    point = with_point(text)
    if point is None:
        raise InvalidCell(f"column {name!r}: {text[:40]!r} {NO_COMMA}")
    return point


def _number(name: str, text: str) -> Any:
    if is_number(text):
        return _read(text)
    if re.fullmatch(DECIMAL_COMMA, text):
        raise InvalidCell(f"column {name!r}: {not_a_number(text)}")
    raise InvalidCell(f"column {name!r}: expected a number, got {text[:40]!r}")


def _by_look(text: str) -> Any:
    """A number or boolean if the text looks like one; None for an empty text."""
    if is_number(text):
        return _read(text)
    return BOOLEANS.get(text, text or None)


def _read(text: str) -> int | float | None:
    """Parse a number; NaN, which alone differs from itself, becomes None."""
    with suppress(ValueError):
        return int(text)
    number = float(text)
    return number if number == number else None
