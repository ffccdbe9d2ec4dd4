"""What a cell of CSV means in a column of a model."""

import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from cli.predict.model_inputs import Column
from tasks.jobs.files.dialect import BOOLEANS, DECIMAL_COMMA, is_number


class Nonsense(ValueError):
    """The cell is no value of its column."""


def value(column: Column, cell: str, missing: Collection[str]) -> Any:
    """The value that is sent, None for a missing one; raises `Nonsense` where no number stands.

    All else that a column does not take is left for the server to say.
    """
    kind = _kind(column)
    text = cell if kind == "string" else cell.strip()
    if text in missing and text not in column.words and not _must_be_text(column, text):
        return None
    if kind == "number":
        # A model of which nobody said what it was trained on may have seen booleans as well.
        may_be_boolean = not column.dtype and text.lower() in ("true", "false")
        return BOOLEANS.get(text, text) if may_be_boolean else _number(column.name, text)
    if kind == "boolean":
        return BOOLEANS.get(text, text)
    return _by_look(text) if kind == "any" else text


def _kind(column: Column) -> str:
    """As what the text is read."""
    if column.type in ("number", "boolean", "any"):
        return column.type
    numeric = [type(one) in (int, float) for one in column.categories]
    return ("number" if all(numeric) else "any") if any(numeric) else "string"


def _must_be_text(column: Column, text: str) -> bool:
    """The empty string is one where the model must have a string."""
    return not text and column.type == "string" and not column.nullable


def _number(name: str, text: str) -> Any:
    if is_number(text):
        return _read(text)
    if re.fullmatch(DECIMAL_COMMA, text):
        raise Nonsense(f"column {name!r}: {text[:40]!r} is no number; use a point for decimals")
    raise Nonsense(f"column {name!r}: expected a number, got {text[:40]!r}")


def _by_look(text: str) -> Any:
    """A number or a boolean where the text is one; nothing for nothing."""
    if is_number(text):
        return _read(text)
    return BOOLEANS.get(text, text or None)


def _read(text: str) -> int | float | None:
    """The number; none for NaN, which alone differs from itself."""
    with suppress(ValueError):
        return int(text)
    number = float(text)
    return number if number == number else None
