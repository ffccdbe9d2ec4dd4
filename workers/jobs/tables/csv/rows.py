"""Parses CSV records with pyarrow, or one by one where its count of records differs from ours."""

import csv
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from tasks.jobs.files.decimal_comma import DecimalMark
from workers.jobs.tables.csv.texts import is_utf8
from workers.jobs.tables.records.records import records

Bad = dict[int, str]
"""Position of a record → why it is not a row."""


class Parsed(msgspec.Struct, frozen=True):
    """The records of a span, in order; a bad record is a row of nulls."""

    table: pa.Table
    """Columns are named by their positions in the file: ``"0"``, ``"1"``, …

    All columns are binary if records were read one by one.
    """
    bad: Bad


class Grid(msgspec.Struct, frozen=True):
    """The layout of a file's records."""

    width: int
    """Number of fields per record."""
    delimiter: bytes
    missing: tuple[str, ...]
    """Texts that mean a missing value in columns other than text."""
    decimal: DecimalMark


def parse_records(data: bytes, rows: int, grid: Grid, types: Mapping[int, pa.DataType]) -> Parsed:
    """Read the columns of ``types``, by position, from a span of ``rows`` records.

    Raises `pyarrow.ArrowInvalid` if a value does not fit its type; never if all are binary.
    """
    if data.count(b"\r") != data.count(b"\r\n"):  # pyarrow also ends records at a lone return
        return _one_by_one(data, grid, [*types])
    bad: Bad = {}
    try:
        table = _by_pyarrow(data, grid, types, bad)
    except pa.ArrowInvalid as error:
        if "conversion error" in str(error):
            raise
        return _one_by_one(data, grid, [*types])
    # pyarrow has ended records elsewhere than we do, so its rows have no lines.
    if table.num_rows + len(bad) != rows:
        return _one_by_one(data, grid, [*types])
    return Parsed(_with_gaps(table, bad), bad)


def _with_gaps(table: pa.Table, bad: Bad) -> pa.Table:
    if not bad:
        return table
    rows = table.num_rows + len(bad)
    gaps = np.zeros(rows, bool)
    # A bad record stays as a row of nulls: rows, lines and ids go by position.
    gaps[[*bad]] = True
    return table.take(pa.array(np.cumsum(~gaps) - 1, mask=gaps))


def _by_pyarrow(data: bytes, grid: Grid, types: Mapping[int, pa.DataType], bad: Bad) -> pa.Table:
    def skip(row: Any) -> str:
        bad[row.number - 1] = _ragged(row.expected_columns, row.actual_columns)
        return "skip"

    # Without UTF-8, pyarrow cannot pass the row's text to a handler, and only prints a stack.
    told = skip if is_utf8(data) else None
    return pc.read_csv(
        pa.BufferReader(data),
        pc.ReadOptions(
            use_threads=False,
            block_size=len(data) + 1,  # one block, so that row numbers and types hold
            column_names=[str(index) for index in range(grid.width)],
        ),
        pc.ParseOptions(
            delimiter=grid.delimiter.decode(),
            newlines_in_values=b'"' in data,
            invalid_row_handler=told,
        ),
        pc.ConvertOptions(
            include_columns=[str(index) for index in types],
            column_types={str(index): kind for index, kind in types.items()},
            null_values=[*grid.missing],
            decimal_point=grid.decimal,
            strings_can_be_null=False,  # a word may be a text column's value: `without_missing`
        ),
    )


def _one_by_one(data: bytes, grid: Grid, indexes: Sequence[int]) -> Parsed:
    found = records(data, quoted=True, last=True, delimiter=grid.delimiter)
    bad: Bad = {}
    nothing = [None] * grid.width
    rows: list[Sequence[bytes | None]] = []
    for position, record in enumerate(found.cut(data)):
        fields = _fields(record, grid.delimiter.decode())
        if isinstance(fields, str):
            bad[position] = fields
        elif len(fields) != grid.width:
            bad[position] = _ragged(grid.width, len(fields))
        else:
            rows.append([field.encode("latin-1") for field in fields])
            continue
        rows.append(nothing)
    columns = {str(index): pa.array([row[index] for row in rows], pa.binary()) for index in indexes}
    return Parsed(pa.table(columns), bad)


def _fields(record: bytes, delimiter: str) -> Sequence[str] | str:
    """The fields, one character per byte, or why the record cannot be read."""
    text = record.decode("latin-1").rstrip("\r\n")
    try:
        (fields,) = csv.reader([text], delimiter=delimiter, strict=False)
    except (csv.Error, ValueError) as error:
        return str(error)
    return fields


def _ragged(expected: int, found: int) -> str:
    return f"expected {expected} fields, found {found}"
