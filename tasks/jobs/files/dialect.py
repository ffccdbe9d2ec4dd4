"""How a CSV file is written: what separates its fields, and whether its first record is a header.

Whoever reads CSV asks here, so that a file means the same to each of them.
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

from telemetry.errors import InvalidInput

DELIMITERS = (",", ";", "\t", "|")
"""Those that are sniffed; in doubt it is the first."""
_ANY = r"[\t !#-*,/:-@\[-^`{-~]"
DELIMITER = re.compile(f"^{_ANY}$")
"""What may be given as one: no letter, digit, quote or line's end, and nothing of numbers."""
MISSING_TEXTS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Texts that stand for a missing value; those of pandas."""
BOOLEANS = {
    **dict.fromkeys(("1", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "false", "False", "FALSE"), False),
}
DECIMAL_COMMA = r"[+-]?[\d.]*,\d+"
"""A number as it is written where a comma stands before its fraction."""
SNIFFED = 2**18
"""Bytes, or letters, that tell enough."""
MAX_RECORD_BYTES = 2**24
"""Bytes of a record at most, and so of a field."""
csv.field_size_limit(MAX_RECORD_BYTES)
_RECORDS = 20
_SEP = re.compile(rf'"?sep=({_ANY})"?(?:\r\n|\n|\r|$)', re.IGNORECASE)


class Dialect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody says of a file; the rest is sniffed."""

    delimiter: str | None = None
    header: bool | None = None
    """Whether the first record names the columns."""
    na: tuple[str, ...] = ()
    """Texts that stand for a missing value, beside `MISSING_TEXTS`."""

    @property
    def missing(self) -> tuple[str, ...]:
        """All of these texts."""
        return tuple(dict.fromkeys((*MISSING_TEXTS, *self.na)))


class Column(Protocol):
    """A column of a model, as far as it matters here."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def words(self) -> tuple[str, ...]: ...


class Takes(Protocol):
    """What a model takes."""

    @property
    def columns(self) -> Sequence[Column]: ...
    @property
    def named(self) -> bool: ...


def separator(text: str) -> tuple[str | None, int]:
    """What the first line says of the delimiter, as Excel has it (``sep=;``), and its length."""
    found = _SEP.match(text)
    return (found[1], found.end()) if found else (None, 0)


def delimiter_of(text: str, takes: Takes | None) -> str:
    """What separates the fields of a file that begins so, behind any `separator`.

    The model's names tell, then the number of its columns, then what most records agree on.
    """
    return max(DELIMITERS, key=lambda one: _likelihood(_records(text[:SNIFFED], one), takes))


def is_header(fields: Sequence[str], takes: Takes | None, *, alone: bool) -> bool:
    """Whether a file's first record names its columns; ``alone``: it is the only one.

    It does if it has the model's names; numbers in their order are names, too, since pandas writes
    them so for columns that have none. Else it is a row if all fields are values of their columns,
    and one at least is no mere text.
    """
    names = _names(takes)
    held = names.intersection(field.strip() for field in fields) | names.intersection(fields)
    if held and (held == names or not all(map(is_number, held))):
        return True
    if is_counted(fields):
        return not alone
    return not _is_row(fields, takes)


def is_counted(fields: Sequence[str]) -> bool:
    """Whether these are the numbers of columns, from 0 or 1 on."""
    count = range(len(fields))
    return len(fields) > 1 and [*fields] in ([str(n + first) for n in count] for first in (0, 1))


def by_position(fields: Sequence[str], takes: Takes, line: int) -> list[str]:
    """The model's names for the fields of a file without a header.

    Raises `InvalidInput` where there are more or less of them.
    """
    names = [column.name for column in takes.columns]
    if len(fields) != len(names):
        what = (
            f"the file has no header, so its columns go by position: "
            f"the model takes {len(names)}, the file has {len(fields)}"
        )
        raise InvalidInput(f"line {line}: {what}", line=line)
    return names


def header_names(fields: Sequence[str], takes: Takes | None) -> list[str]:
    """The names in a header; blanks about one of the model's are none of it."""
    names = _names(takes)
    return [
        field if field in names or field.strip() not in names else field.strip() for field in fields
    ]


def is_number(text: str) -> bool:
    """Whether the text is a number's."""
    with suppress(ValueError):
        return "_" not in text and text.isascii() and float(text) is not None
    return False


def _names(takes: Takes | None) -> set[str]:
    return {column.name for column in takes.columns} if takes and takes.named else set()


def _records(text: str, delimiter: str) -> list[list[str]]:
    """The first."""
    found = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    return [*islice(filter(None, found), _RECORDS)]


def _likelihood(records: list[list[str]], takes: Takes | None) -> tuple[int, bool, int, int]:
    width = len(records[0]) if records else 0
    if width < 2:
        return 0, False, 0, 0
    held = len(_names(takes).intersection(field.strip() for field in records[0]))
    agreeing = sum(len(record) == width for record in records)
    return held, takes is not None and width == len(takes.columns), agreeing, width


def _is_row(fields: Sequence[str], takes: Takes | None) -> bool:
    if takes is None or len(fields) != len(takes.columns):
        filled = [field for field in fields if field.strip() not in MISSING_TEXTS]
        return bool(filled) and all(map(_is_numeric, filled))
    pairs = zip(takes.columns, fields, strict=True)
    verdicts = {_verdict(column, field.strip()) for column, field in pairs}
    return True in verdicts and False not in verdicts


def _verdict(column: Column, text: str) -> bool | None:
    """Whether the text is a value of the column and no name; None where it may be either."""
    if text in MISSING_TEXTS and text not in column.words:
        return None
    known: Any = _TELLING.get(column.type)
    return known(text) if known else None


def _is_numeric(text: str) -> bool:
    """A number, or what was meant as one."""
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
