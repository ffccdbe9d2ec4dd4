"""Reads the rows of a CSV file for a model."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from cli.batch.dialect_options import ignored_text
from cli.predict.cells import InvalidCell, value
from cli.predict.model_inputs import Column, VersionInputs
from cli.predict.rows import FileRows, Row, Unreadable
from registry import manifest
from tasks.jobs.files.decimal_comma import DecimalMark, decimal_mark, fields_at
from tasks.jobs.files.dialect import (
    SNIFFED,
    Dialect,
    by_position,
    delimiter_of,
    header_names,
    is_counted,
    is_header,
    separator,
)
from telemetry.errors import InvalidInput
from workers.jobs.tables.matching import Selection, match


@dataclass(frozen=True)
class Layout:
    """The positions of the model's columns in a record."""

    width: int
    """Number of fields in a record."""
    taken: Sequence[tuple[int, Column]]
    named: bool
    """Whether rows are sent as objects."""
    missing: frozenset[str]
    decimal: DecimalMark

    def row(self, location: str, fields: Sequence[str]) -> Row:
        """Convert a record to a row, or to a row with a fault."""
        if len(fields) != self.width:
            return Row(location, None, f"expected {self.width} fields, found {len(fields)}")
        try:
            values = [
                value(column, fields[at], self.missing, self.decimal) for at, column in self.taken
            ]
        except InvalidCell as error:
            return Row(location, None, str(error))
        names = [column.name for _, column in self.taken]
        return Row(location, dict(zip(names, values, strict=True)) if self.named else values)


def from_csv(text: str, takes: VersionInputs | None, said: Dialect) -> FileRows:
    """Read rows and notes from CSV text; blank lines are skipped.

    Raises `Unreadable` if a quote is not closed, or columns of the model are missing.
    """
    told, length = separator(text)
    rest = text[length:]
    delimiter = said.delimiter or told or delimiter_of(rest, takes)
    records = [*_records(rest, delimiter, 1 + (length > 0))]
    if not records:
        raise Unreadable("no rows")
    line, first = records[0]
    header = said.header
    if header is None:
        header = is_header(first, takes, alone=len(records) == 1)
    layout, notes = _layout([fields for _, fields in records[:SNIFFED]], line, takes, header, said)
    rows = [layout.row(f"line {line}", fields) for line, fields in records[header:]]
    return FileRows(rows, notes)


def from_cells(given: Iterable[str], takes: VersionInputs | None, said: Dialect) -> FileRows:
    """Read rows from ``--row`` options, by position; at another width, types are guessed."""
    records = csv.reader(given, delimiter=said.delimiter or ",")
    rows = []
    for number, cells in enumerate(records, 1):
        known = takes if takes and len(takes.columns) == len(cells) else _unknown(cells, False)
        taken = [*enumerate(known.columns)]
        layout = Layout(len(cells), taken, False, frozenset(said.missing), said.decimal or ".")
        rows.append(layout.row(f"row {number}", cells))
    return FileRows(rows)


def _unknown(names: Sequence[str], named: bool) -> VersionInputs:
    """Columns of unknown types."""
    return VersionInputs(tuple(map(Column, names)), named)


def _layout(
    records: Sequence[Sequence[str]],
    line: int,
    takes: VersionInputs | None,
    header: bool,
    said: Dialect,
) -> tuple[Layout, list[str]]:
    """Match the first record to the model; raises `Unreadable` if it does not fit."""
    first = records[0]
    if takes is None:  # there is no such version; the submission will raise that error
        takes = _unknown([field.strip() for field in first], named=header)
    try:
        names = header_names(first, takes) if header else by_position(first, takes, line)
        indexes = match(Selection(_signature(takes)), names).features
    except InvalidInput as error:
        raise Unreadable(error.message) from error
    found = zip(indexes, takes.columns, strict=True)
    taken = [(index, column) for index, column in found if index is not None]
    ignored = [name for index, name in enumerate(names) if index not in set(indexes)]
    notes = [ignored_text(ignored)] if ignored else []
    if header and said.header is None and is_counted(first):
        notes.append(f"read line {line} as the header (if it is a row, give --no-header)")
    numbers = [index for index, column in taken if column.type in ("number", "decimal")]
    mark = said.decimal or decimal_mark(fields_at(records, numbers))
    named = takes.named and header
    return Layout(len(first), taken, named, frozenset(said.missing), mark), notes


def _signature(takes: VersionInputs) -> manifest.Signature:
    """A signature with all that matching columns needs."""
    columns = tuple(manifest.Column(column.name, unused=column.unused) for column in takes.columns)
    return manifest.Signature(columns, takes.named, frame=False, methods=())


def _records(text: str, delimiter: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of its first line."""
    lines = [*StringIO(text, newline="")]
    reader = csv.reader(lines, delimiter=delimiter)
    last = begin = 0
    try:
        for fields in reader:
            if fields:
                yield first_line + begin, fields
            last, begin = begin, reader.line_num
    except csv.Error as error:
        raise Unreadable(f"line {first_line + begin}: {error}") from error
    if _lacks_quote(lines[last:], delimiter):
        raise Unreadable(f"line {first_line + last}: a quoted field does not end")


def _lacks_quote(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the file ends inside a quoted field, which only a strict reader reports."""
    try:
        for _ in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return str(error) == "unexpected end of data"
    return False
