"""Reads the start of a CSV file: its dialect, and the names of its columns."""

import csv
from pathlib import Path

import msgspec

from registry.manifest import Signature
from tasks.jobs.files.decimal_comma import decimal_mark, fields_at
from tasks.jobs.files.dialect import (
    Dialect,
    by_position,
    delimiter_of,
    first_fields,
    header_names,
    is_header,
    separator,
)
from telemetry.errors import InvalidInput
from workers.jobs.tables.records.cutting import Position
from workers.jobs.tables.records.record_file import RecordFile, first_records

MAX_FIELDS = 2**20
"""Most fields of the first record: each may be one byte in the file, but takes 60 in memory."""


class Beginning(msgspec.Struct, frozen=True):
    """The start of a CSV file."""

    dialect: Dialect
    """The complete dialect, as given or detected."""
    columns: list[str]
    """Column names: from the header, or else the model's in order."""
    rows: Position
    """Position of the first row."""


def read_beginning(file: RecordFile, signature: Signature, said: Dialect) -> Beginning:
    """Detect the dialect, and set the file's delimiter.

    ``said`` is the part of the dialect that the caller gave. Raises `InvalidInput` if there is no
    row, or the first one does not fit the model's columns.
    """
    delimiter, start, text = _delimiter(file, signature, said)
    file.delimiter = delimiter.encode()
    head, found, _ = file.head(start.byte)
    first, end = start.forward(found, int(found.starts[0])), int(found.stops[0])
    fields = _fields(head[int(found.starts[0]) : end], first.line, delimiter)
    # `head` has two records if the file has two, so this one is the only one.
    alone = len(found.stops) == 1
    header = is_header(fields, signature, alone=alone) if said.header is None else said.header
    names = (
        header_names(fields, signature) if header else by_position(fields, signature, first.line)
    )
    records = first_fields(text, delimiter)
    decimal = said.decimal or decimal_mark(fields_at(records, _of_numbers(names, signature)))
    dialect = Dialect(delimiter=delimiter, header=header, na=said.missing, decimal=decimal)
    if not header:
        return Beginning(dialect, names, first)
    if alone:
        what = f"line {first.line}: the file has a header and no rows"
        raise InvalidInput(what, line=first.line)
    return Beginning(dialect, names, start.forward(found, end))


def own_header(path: Path) -> bytes:
    """The header of a CSV file that predictq wrote."""
    with path.open("rb") as file:
        head, found = first_records(file, quoted=True)
    return head[: int(found.stops[0])]


def _of_numbers(names: list[str], signature: Signature) -> list[int]:
    """Positions of the columns that the model takes as numbers."""
    numbers = {column.name for column in signature.columns if column.type in ("number", "decimal")}
    return [index for index, name in enumerate(names) if name in numbers]


def _delimiter(file: RecordFile, signature: Signature, said: Dialect) -> tuple[str, Position, str]:
    """The delimiter, and the position and the text after a ``sep=`` line."""
    opening, mark = file.opening()
    text = opening.decode(errors="replace")
    told, length = separator(text)
    delimiter = said.delimiter or told or delimiter_of(text[length:], signature)
    return delimiter, Position(mark + length, 1 + (length > 0)), text[length:]


def _fields(record: bytes, line: int, delimiter: str) -> list[str]:
    if record.count(delimiter.encode()) >= MAX_FIELDS:
        raise InvalidInput(f"line {line}: more than {MAX_FIELDS} fields", line=line)
    try:
        text = record.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        what = f"the header is not UTF-8 (byte {error.start}: 0x{record[error.start]:02x})"
        raise InvalidInput(f"line {line}: {what}; save the file as UTF-8", line=line) from error
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        what = str(error)
        if "\r" in text:
            what = "lines end with a carriage return alone; save the file with usual line ends"
        raise InvalidInput(f"line {line}: the header cannot be read: {what}", line=line) from error
