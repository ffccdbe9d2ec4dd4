"""Encodes rows of the output as CSV or NDJSON."""

from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.csv as pc

_encoder = msgspec.json.Encoder(decimal_format="number")


def write_csv(table: pa.Table, file: IO[bytes]) -> None:
    """Write a header and the rows: nothing for null, JSON for what CSV has no word for."""
    plain = [_text(column) if pa.types.is_nested(column.type) else column for column in table]
    if len(plain) == 1 and plain[0].null_count:  # nothing at all would be no row to who reads it
        plain = [plain[0].cast(pa.string()).fill_null("")]
    pc.write_csv(pa.table(plain, names=table.column_names), file)


def write_ndjson(table: pa.Table, file: IO[bytes]) -> None:
    """Write an object a row; null for null and for numbers that JSON has no word for."""
    fields = {f"f{place}": name for place, name in enumerate(table.column_names)}
    row = msgspec.defstruct("Row", [(field, Any) for field in fields], rename=fields, gc=False)
    file.write(_encoder.encode_lines([*map(row, *map(_values, table.columns))]))


def _values(column: pa.ChunkedArray) -> Any:
    if column.null_count or not pa.types.is_primitive(column.type):
        return column.to_pylist()
    number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    return column.to_numpy().tolist() if number else column.to_pylist()


def _text(column: pa.ChunkedArray) -> pa.Array:
    texts = [value if value is None else _encoder.encode(value) for value in column.to_pylist()]
    return pa.array(texts, pa.binary()).cast(pa.string())
