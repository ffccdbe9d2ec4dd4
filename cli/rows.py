"""Reads the rows that `predictq predict` sends: CSV, JSON or NDJSON, each with its place."""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TextIO


@dataclass(frozen=True)
class Row:
    """One row and where it stands in the file."""

    place: str
    """``line 7`` of CSV and NDJSON, ``row 7`` of a JSON array; from 1."""
    value: Any


class Unreadable(Exception):
    """The file does not hold rows."""


def read(name: str, stream: TextIO) -> list[Row]:
    """Every row of the file; raises `Unreadable`, which names the place.

    The name's extension tells the format: ``.json``, ``.ndjson`` or ``.jsonl``, else CSV.
    """
    reader = {".json": from_json, ".ndjson": from_ndjson, ".jsonl": from_ndjson}
    try:
        rows = list(reader.get(PurePath(name).suffix.lower(), from_csv)(stream))
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8 text") from error
    if not rows:
        raise Unreadable("no rows")
    return rows


def from_json(stream: TextIO) -> Iterator[Row]:
    """The elements of an array; an object, or an array of scalars, is one row."""
    rows = _json(stream.read(), "")
    if not isinstance(rows, list | dict):
        raise Unreadable("expected an array of rows")
    if isinstance(rows, dict) or (rows and not isinstance(rows[0], list | dict)):
        rows = [rows]
    return (Row(f"row {number}", value) for number, value in enumerate(rows, 1))


def from_ndjson(stream: Iterable[str]) -> Iterator[Row]:
    """A row a line; empty lines are passed over."""
    for number, line in enumerate(stream, 1):
        if line.strip():
            yield Row(f"line {number}", _json(line, f"line {number}: "))


def from_csv(stream: Iterable[str]) -> Iterator[Row]:
    """A row a line, by column name where the first line is a header; empty lines are passed over.

    The first line is a header unless all that it holds are numbers.
    """
    lines = csv.reader(stream, strict=True)
    records = ((f"line {lines.line_num}", cells) for cells in lines if cells)
    try:
        yield from _table(records)
    except csv.Error as error:
        raise Unreadable(f"line {lines.line_num}: {error}") from error


def values(cells: Iterable[str]) -> list[Any]:
    """What the cells of one CSV line mean: a number where it looks like one, empty is None."""
    return [_value(cell.strip()) for cell in cells]


def _table(records: Iterator[tuple[str, list[str]]]) -> Iterator[Row]:
    place, first = next(records, ("", []))
    if not first:
        return
    header = None if _all_numbers(first) else [cell.strip() for cell in first]
    if header is None:
        yield Row(place, values(first))
    elif twice := {name for name in header if header.count(name) > 1}:
        raise Unreadable(f"{place}: the header names {', '.join(sorted(twice))} more than once")
    for place, cells in records:
        if len(cells) != len(first):
            raise Unreadable(f"{place}: {len(cells)} cells where the first line has {len(first)}")
        row = values(cells)
        yield Row(place, dict(zip(header, row, strict=True)) if header else row)


def _all_numbers(cells: list[str]) -> bool:
    return not any(isinstance(value, str) for value in values(cells))


def _value(cell: str) -> Any:
    if not cell:
        return None
    if "_" in cell:  # Python reads 1_000 as a number; nobody else does
        return cell
    for number in (int, float):
        with suppress(ValueError):
            value = number(cell)
            return value if value == value else None  # only NaN differs from itself
    return cell


def _json(text: str, prefix: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreadable(f"{prefix}not JSON: {error}") from error
    except RecursionError as error:
        raise Unreadable(f"{prefix}nested too deeply") from error
