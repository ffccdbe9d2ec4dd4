"""Encodes output rows as CSV or NDJSON, or as Arrow, from which Parquet is written at the end."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from tasks.jobs.files.naming import Format
from telemetry.errors import InvalidInput
from workers.jobs.tables.json_values import JSON, raw, texts, with_kinds
from workers.models.tabular.infinities import spelled_array, spelled_values


def encode_part(table: pa.Table, format: Format, file: IO[bytes]) -> None:
    """Write rows as a part of an output.

    A part of a Parquet output is an Arrow file, so that rows are encoded only once. Raises
    `InvalidInput` if the format cannot hold the columns.
    """
    with convert_misfits(format):
        _WRITERS[format](table, file)


def refuse_unwritable(table: pa.Table, format: Format) -> None:
    """Raise `InvalidInput` if the format cannot hold such rows."""
    encode_part(table, format, BytesIO())
    if format == "parquet":
        with convert_misfits(format):
            pq.write_table(table, BytesIO())


@contextmanager
def convert_misfits(format: Format) -> Iterator[None]:
    """Raise `InvalidInput` for errors of writing columns in a format."""
    try:
        yield
    except MemoryError:  # ArrowMemoryError is an ArrowException, too
        raise
    except (pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"the columns cannot be written as {format}: {error}") from error


def _write_csv(table: pa.Table, file: IO[bytes]) -> None:
    """Write a header and rows; null is an empty field, and nested values are JSON."""
    plain = [column if _is_plain(column.type) else _texts(column) for column in table.columns]
    written = pa.table(plain, names=table.column_names)
    if len(plain) != 1 or not plain[0].null_count:
        pc.write_csv(written, file)
    elif pa.types.is_string(plain[0].type) or pa.types.is_large_string(plain[0].type):
        pc.write_csv(written.set_column(0, written.field(0), plain[0].fill_null("")), file)
    else:
        file.write(_with_quoted_blanks(written))


def _with_quoted_blanks(table: pa.Table) -> bytes:
    """One column as CSV, with quotes for null alone: readers would skip an empty line.

    So each value looks as in a part of the output without nulls.
    """
    written = BytesIO()
    pc.write_csv(table, written)
    return _blank_line.sub(b'""', written.getvalue())


def _write_ndjson(table: pa.Table, file: IO[bytes]) -> None:
    """Write an object per row; NaN becomes null, an infinity its name."""
    fields = {f"f{index}": name for index, name in enumerate(table.column_names)}
    row = msgspec.defstruct("Row", [(field, Any) for field in fields], rename=fields, gc=False)
    file.write(_encoder.encode_lines([*map(row, *map(_values, table.columns))]))


def _write_arrow(table: pa.Table, file: IO[bytes]) -> None:
    table = with_kinds(table).unify_dictionaries()  # a file has one dictionary per column
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _values(column: pa.ChunkedArray) -> Any:
    if column.type == JSON:
        return raw(column)
    if pa.types.is_nested(column.type) or (column.null_count and pa.types.is_floating(column.type)):
        return spelled_values(column.to_pylist())
    if pa.types.is_floating(column.type):
        return spelled_array(column.to_numpy()).tolist()
    number = pa.types.is_integer(column.type) and not column.null_count
    return column.to_numpy().tolist() if number else column.to_pylist()


def _is_plain(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(
        fits(kind)
        for fits in (
            pa.types.is_primitive,
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_decimal,
            pa.types.is_null,
        )
    )


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type == JSON:
        return texts(column)
    found = (None if value is None else _text(value) for value in column.to_pylist())
    return pa.chunked_array([pa.array(found, pa.string())])


def _text(value: Any) -> str:
    """The value as in NDJSON, but strings without quotes."""
    encoded = _encoder.encode(value)
    return msgspec.json.decode(encoded, type=str) if encoded[:1] == b'"' else encoded.decode()


def _iso_text(value: Any) -> str:
    """ISO 8601 text of types that msgspec does not know, such as pandas times with nanoseconds."""
    text: str = value.isoformat()
    return text


_blank_line = re.compile(rb"^(?=\n)", re.MULTILINE)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_iso_text)
_WRITERS = {"csv": _write_csv, "ndjson": _write_ndjson, "parquet": _write_arrow}
