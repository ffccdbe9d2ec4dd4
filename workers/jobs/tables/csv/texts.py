"""Reads values from CSV texts, and notes texts that are no values of their column."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from registry.manifest import Column
from registry.rows.values import EXPECTED
from workers.models.tabular.columns import Array, is_counted, object_array
from workers.models.tabular.features import Faults

AS_TEXT = ("datetime", "duration", "date", "decimal")
"""Column types whose values stay text for now, since all formats share their parsing."""
_DIGITS = 400
"""More digits than the largest float has; Python limits the length of integers it parses."""
_WHOLE = re.compile(r"[+-]?[0-9]+")
_TRUE, _FALSE = ("1", "true", "True", "TRUE"), ("0", "false", "False", "FALSE")


def from_text(column: Column, texts: Any, faults: Faults) -> Any:
    """Values of a column; notes in ``faults`` the rows whose text is invalid.

    Missing values are null already. Columns that pyarrow has parsed stay as they are.
    """
    if texts.type != pa.string():
        return texts
    if column.type == "string" or column.type in AS_TEXT:
        return texts
    if column.type == "category":
        return np.array([*_categories(column, texts), None], dtype=object)[:-1]
    if column.type == "any":
        return np.array([*map(_any, texts.to_pylist()), None], dtype=object)[:-1]
    texts = pc.ascii_trim_whitespace(texts)
    kind, one = _KINDS[column.type]
    if column.type == "number":  # not for booleans: Arrow's cast accepts more words than we do
        with suppress(pa.ArrowInvalid):
            return texts.cast(number_type(column))
    if is_counted(column.dtype):  # as doubles, large integers would lose digits
        return _each(column, texts, _whole_or_not, faults)
    if column.type == "number" and not column.dtype:
        one = _number_or_boolean
    return pa.chunked_array([pa.array(_each(column, texts, one, faults)).cast(kind)])


def number_type(column: Column) -> pa.DataType:
    """The Arrow type of a numeric column; integers keep all digits."""
    if not is_counted(column.dtype):
        return pa.float64()
    return pa.uint64() if column.dtype.lower().startswith("u") else pa.int64()


def blank_is_null(texts: Any) -> Any:
    """Replace empty strings by null; columns other than text stay as they are."""
    if texts.type != pa.string():
        return texts
    return pc.if_else(pc.equal(texts, ""), None, texts)


def decoded(name: str, octets: pa.ChunkedArray, faults: Faults) -> pa.ChunkedArray:
    """Decode UTF-8; notes the rows that are not UTF-8."""
    try:
        return octets.cast(pa.string())
    except pa.ArrowInvalid:
        texts = [value and value.decode(errors="replace") for value in octets.to_pylist()]
    # The character may also be in the file itself, as valid UTF-8.
    for row, text in enumerate(texts):
        if text and "\N{REPLACEMENT CHARACTER}" in text and not is_utf8(octets[row].as_py()):
            faults.setdefault(row, f"column {name!r} is not UTF-8 text")
    return pa.chunked_array([pa.array(texts, pa.string())])


def is_number(text: str) -> bool:
    """Whether the text is a number."""
    try:
        _number(text)
    except ValueError:
        return False
    return True


def is_utf8(octets: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    try:
        return octets.isascii() or bool(octets.decode())
    except UnicodeDecodeError:
        return False


def _each(column: Column, texts: pa.Array, one: Callable[[str], Any], faults: Faults) -> Array:
    values: list[Any] = []
    for row, text in enumerate(texts.to_pylist()):
        try:
            values.append(None if text is None else one(text))
        except ValueError:
            values.append(None)
            what = f"expected {EXPECTED[column.type]}, got {text[:40]!r}"
            faults.setdefault(row, f"column {column.name!r}: {what}")
    return object_array(values)


def _whole_or_not(text: str) -> int | float:
    """An integer with all its digits, else a float."""
    number = _number(text)
    return int(text) if len(text) < _DIGITS and _WHOLE.fullmatch(text) else number


def _number(text: str) -> float:
    # Python's `float` accepts underscores and the digits of other scripts; files have neither.
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)


def _boolean(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(text)


def _number_or_boolean(text: str) -> float:
    return float(text in _TRUE) if text.lower() in ("true", "false") else _number(text)


def _categories(column: Column, texts: Any) -> list[Any]:
    """The category of each text; an unknown text becomes a value of the categories' kind."""
    known = {str(value): value for value in column.categories or ()}
    numbers = {type(value) for value in known.values()} <= {int, float, bool}
    look = _any if numbers else str
    found = texts.to_pylist()
    return [None if text is None else known.get(text, look(text)) for text in found]


def _any(text: str | None) -> Any:
    """The text as a number or boolean if it is one; None if it is empty."""
    if not text:
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text in _TRUE
    if not is_number(text):
        return text
    whole = len(text) < _DIGITS and text.strip().lstrip("+-").isdigit()
    return int(text) if whole else float(text)


_KINDS: dict[str, tuple[pa.DataType, Callable[[str], Any]]] = {
    "number": (pa.float64(), _number),
    "boolean": (pa.bool_(), _boolean),
}
