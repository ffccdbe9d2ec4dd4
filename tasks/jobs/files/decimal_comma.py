"""Numbers in CSV that have a decimal comma, as spreadsheets write them in much of the world."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

DecimalMark = Literal[".", ","]
"""The character before the decimals of a number."""
DECIMAL_COMMA = r"[+-]?[\d.]*,\d+"
"""Pattern of a number with a decimal comma."""
_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(?:,\d{3})+\s*")
_POINT = re.compile(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*")
NO_COMMA = "is not a number with a decimal comma; give decimal '.' if the file has decimal points"


def not_a_number(text: str) -> str:
    """Why a text with a comma is no number where numbers have a decimal point, and the remedy."""
    remedy = "use a decimal point, or give decimal ','"
    if _THOUSANDS.fullmatch(text):
        remedy = "leave out separators of thousands; if this is a decimal comma, give decimal ','"
    return f"{text[:40]!r} is not a number; {remedy}"


def decimal_mark(fields: Iterable[str]) -> DecimalMark:
    """Detect the mark from fields of columns of numbers.

    It is the comma if a field shows that, and none shows a point. ``1,234`` shows nothing: it may
    be a thousand.
    """
    found = [*fields]
    commas = any(_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text) for text in found)
    return "," if commas and not any(map(_POINT.fullmatch, found)) else "."


def fields_at(records: Iterable[Sequence[str]], indexes: Sequence[int]) -> Iterable[str]:
    """The fields at these positions of each record that is long enough."""
    return (fields[index] for fields in records for index in indexes if index < len(fields))


def with_point(text: str) -> str | None:
    """A number that has a decimal comma, with a point; None if it has a point already.

    Other texts stay as they are.
    """
    if _COMMA.fullmatch(text):
        return text.replace(",", ".")
    return None if _POINT.fullmatch(text) else text
