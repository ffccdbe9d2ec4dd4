"""The CSV source: spans are ranges of bytes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa

from registry.manifest import Column
from workers.jobs.tables.csv.decimals import with_points
from workers.jobs.tables.csv.header import read_beginning
from workers.jobs.tables.csv.missing import without_missing
from workers.jobs.tables.csv.rows import Grid, Parsed, parse_records
from workers.jobs.tables.csv.texts import blank_is_null, decoded, from_text, number_type
from workers.jobs.tables.matching import Selection, match
from workers.jobs.tables.records.record_file import RecordFile
from workers.jobs.tables.records.records import lacks_quote, records
from workers.jobs.tables.spans import Block, Span
from workers.models.tabular.features import Faults, gather


class CsvSource:
    """A CSV file as a `Source`."""

    def __init__(self, uri: str, file: IO[bytes], selection: Selection) -> None:
        """Raises `InvalidInput` if the header is broken or lacks columns of the model."""
        self._signature = signature = selection.signature
        self._file = RecordFile(uri, file, quoted=True)
        begun = read_beginning(self._file, signature, selection.dialect)
        self.dialect = begun.dialect
        """The complete dialect of the file."""
        self._columns, self._start = begun.columns, begun.rows
        self._grid = Grid(
            width=len(begun.columns),
            delimiter=self._file.delimiter,
            missing=begun.dialect.na,
            decimal=begun.dialect.decimal or ".",
        )
        self._wanted = match(selection, self._columns)
        columns = zip(self._wanted.features, signature.columns, strict=True)
        self._typed = dict.fromkeys(self._wanted.carried, pa.string())
        self._typed |= {index: _type(column) for index, column in columns if index is not None}

    @property
    def columns(self) -> Sequence[str]:
        """See `Source`."""
        return self._columns

    @property
    def size(self) -> int:
        """See `Source`."""
        return self._file.size

    def spans(self, rows: int) -> Iterator[Span]:
        """See `Source`."""
        return self._file.spans(rows, self._start)

    def read(self, span: Span) -> Block:
        """See `Source`."""
        data = self._file.read(span)
        faults: Faults = {}
        try:
            parsed = self._parse(data, span, self._typed)
        except pa.ArrowInvalid:  # a value does not fit its column's type; find it in the text
            parsed = self._parse(data, span, dict.fromkeys(self._typed, pa.binary()))
        texts = {index: self._text(index, parsed.table, faults) for index in self._typed}
        columns = zip(self._wanted.features, self._signature.columns, strict=True)
        values = {
            index: self._values(column, texts[index], faults)
            for index, column in columns
            if index is not None
        }
        given = [None if index is None else values[index] for index in self._wanted.features]
        features = gather(self._signature, given, {**faults, **parsed.bad})
        block = Block(
            features=features.input,
            good=features.good,
            lines=self._file.lines(data, span),
            ids=None if self._wanted.id is None else blank_is_null(texts[self._wanted.id]),
            carried=self._table(texts, values),
            bad=[],
        )
        block.bad.extend(
            block.bad_row(row, "malformed" if row in parsed.bad else "invalid_features", what)
            for row, what in features.faults.items()
        )
        return block

    def close(self) -> None:
        """See `Source`."""
        self._file.close()

    def _parse(self, data: bytes, span: Span, types: Mapping[int, pa.DataType]) -> Parsed:
        parsed = parse_records(data, span.rows, self._grid, types)
        # Only in the last span: elsewhere the quote would have taken in what follows.
        if b'"' in data and span.stop == self.size and _is_open(data, self._grid.delimiter):
            parsed.bad[span.rows - 1] = "a quoted field does not end"
        return parsed

    def _text(self, index: int, table: pa.Table, faults: Faults) -> pa.ChunkedArray:
        column = table[str(index)]
        if column.type != pa.binary():
            return column
        return decoded(self._columns[index], column, faults)

    def _values(self, column: Column, texts: Any, faults: Faults) -> Any:
        filled = without_missing(column, texts, self._grid.missing)
        return from_text(column, with_points(column, filled, self._grid.decimal, faults), faults)

    def _table(
        self, texts: Mapping[int, pa.ChunkedArray], values: Mapping[int, Any]
    ) -> pa.Table | None:
        """The columns copied to the output: the model's numbers as numbers, all others as text."""
        carried = self._wanted.carried
        if not carried:
            return None
        numbers = {index for index in values if self._typed[index] != pa.string()}
        columns = [
            values[index] if index in numbers else blank_is_null(texts[index]) for index in carried
        ]
        return pa.table(columns, names=[self._columns[index] for index in carried])


def _type(column: Column) -> pa.DataType:
    """The Arrow type that pyarrow reads a column as; all but numbers and booleans start as text."""
    if column.type == "number":
        return number_type(column)
    return pa.bool_() if column.type == "boolean" else pa.string()


def _is_open(data: bytes, delimiter: bytes) -> bool:
    found = records(data, quoted=True, last=True, delimiter=delimiter)
    return lacks_quote(found.last(data), delimiter)
