"""CSV dialects: the delimiter of a file, and whether its first record is a header.

API, workers and command line all use this module, so that a file means the same to each.
"""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import Any, Protocol

import msgspec

from tasks.jobs.files.decimal_comma import DECIMAL_COMMA, DecimalMark
from telemetry.errors import InvalidInput

DELIMITERS = (",", ";", "\t", "|")
"""Delimiters that are detected; the first one wins a tie."""
_ANY = r"[\t !#-*,/:-@\[-^`{-~]"
DELIMITER = re.compile(f"^{_ANY}$")
"""Delimiters that a caller may set: no letter, digit, quote, line end or part of a number."""
MISSING_TEXTS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Texts that mean a missing value: pandas's defaults."""
BOOLEANS = {
    **dict.fromkeys(("1", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "false", "False", "FALSE"), False),
}
SNIFF_BYTES = 2**18
"""Bytes, or characters, at the start of a file that are used for detection."""
MAX_RECORD_BYTES = 2**24
"""Longest record, and so longest field, in bytes."""
# Python's default of 128 KiB is too short for some text columns. It holds for the whole process.
csv.field_size_limit(MAX_RECORD_BYTES)
SNIFFED = 20
"""Records at the start of a file that are used for detection."""
_SEP = re.compile(rf'"?sep=({_ANY})"?(?:\r\n|\n|\r|$)', re.IGNORECASE)


class Dialect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parts of a dialect that a caller sets; None is detected."""

    delimiter: str | None = None
    header: bool | None = None
    """Whether the first record holds the column names."""
    na: tuple[str, ...] = ()
    """Texts that mean a missing value, in addition to `MISSING_TEXTS`."""
    decimal: DecimalMark | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """All texts that mean a missing value."""
        return tuple(dict.fromkeys((*MISSING_TEXTS, *self.na)))


class Column(Protocol):
    """The parts of a model's column that detection uses."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def words(self) -> tuple[str, ...]: ...


class ModelInputs(Protocol):
    """The parts of a model's inputs that detection uses."""

    @property
    def columns(self) -> Sequence[Column]: ...
    @property
    def named(self) -> bool: ...


def separator(text: str) -> tuple[str | None, int]:
    """The delimiter in Excel's first line (``sep=;``), if there is one, and the line's length."""
    found = _SEP.match(text)
    return (found[1], found.end()) if found else (None, 0)


def delimiter_of(text: str, takes: ModelInputs | None) -> str:
    """Detect the delimiter from the start of a file, after any `separator` line.

    Decides by the model's column names in the first record, then by the number of columns, then
    by how many records have as many fields as the first.
    """
    return max(
        DELIMITERS, key=lambda one: _likelihood(first_fields(text[:SNIFF_BYTES], one), takes)
    )


def is_header(fields: Sequence[str], takes: ModelInputs | None, *, alone: bool) -> bool:
    """Whether the first record is a header; ``alone``: the file has no other record.

    It is one if it holds a column name of the model, or counts its columns (pandas writes such a
    header for unnamed columns). Otherwise it is a row if every field can be a value of its column
    and at least one cannot be a name.
    """
    names = _names(takes)
    known = names.intersection(field.strip() for field in fields) | names.intersection(fields)
    if known and (known == names or not all(map(is_number, known))):
        return True
    if is_counted(fields):
        return not alone
    return not _is_row(fields, takes)


def is_counted(fields: Sequence[str]) -> bool:
    """Whether the fields count the columns, from 0 or 1."""
    count = range(len(fields))
    return len(fields) > 1 and [*fields] in ([str(n + first) for n in count] for first in (0, 1))


def by_position(fields: Sequence[str], takes: ModelInputs, line: int) -> list[str]:
    """The model's column names, in order, for a file without a header.

    Raises `InvalidInput` if the number of fields differs.
    """
    names = [column.name for column in takes.columns]
    if len(fields) != len(names):
        what = (
            f"the file has no header, so its columns go by position: "
            f"the model takes {len(names)}, the file has {len(fields)}"
        )
        raise InvalidInput(f"line {line}: {what}", line=line)
    return names


def header_names(fields: Sequence[str], takes: ModelInputs | None) -> list[str]:
    """The names in a header, stripped of blanks where that gives a column of the model."""
    names = _names(takes)
    return [
        field if field in names or field.strip() not in names else field.strip() for field in fields
    ]


def is_number(text: str) -> bool:
    """Whether Python's ``float`` reads the text, without underscores and non-ASCII digits."""
    with suppress(ValueError):
        return "_" not in text and text.isascii() and float(text) is not None
    return False


def _names(takes: ModelInputs | None) -> set[str]:
    return {column.name for column in takes.columns} if takes and takes.named else set()


def first_fields(text: str, delimiter: str) -> list[list[str]]:
    """The fields of the first records that are not empty."""
    found = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    return [*islice(filter(None, found), SNIFFED)]


def _likelihood(records: list[list[str]], takes: ModelInputs | None) -> tuple[int, bool, int, int]:
    width = len(records[0]) if records else 0
    # With one field, nothing shows that this delimiter occurs at all.
    if width < 2:
        return 0, False, 0, 0
    known = len(_names(takes).intersection(field.strip() for field in records[0]))
    agreeing = sum(len(record) == width for record in records)
    return known, takes is not None and width == len(takes.columns), agreeing, width


def _is_row(fields: Sequence[str], takes: ModelInputs | None) -> bool:
    if takes is None or len(fields) != len(takes.columns):
        filled = [field for field in fields if field.strip() not in MISSING_TEXTS]
        return bool(filled) and all(map(_is_numeric, filled))
    pairs = zip(takes.columns, fields, strict=True)
    fits = {_is_surely_value(column, field.strip()) for column, field in pairs}
    return True in fits and False not in fits


def _is_surely_value(column: Column, text: str) -> bool | None:
    """Whether the text is a value of the column, not a name; None if it may be either."""
    if text in MISSING_TEXTS and text not in column.words:
        return None
    known: Any = _TELLING.get(column.type)
    return known(text) if known else None


def _is_numeric(text: str) -> bool:
    """Whether the text is a number, or one with a decimal comma."""
    return is_number(text) or re.fullmatch(DECIMAL_COMMA, text.strip()) is not None


def _is_date(text: str) -> bool | None:
    with suppress(ValueError):
        return bool(datetime.fromisoformat(text))
    return None


_TELLING = {
    "number": _is_numeric,
    "decimal": _is_numeric,
    "boolean": BOOLEANS.__contains__,
    "any": lambda text: _is_numeric(text) or text in BOOLEANS or None,
    "date": _is_date,
    "datetime": _is_date,
}
