"""Writes the parts of an output, one per chunk, and assembles them in order."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.jobs.files.descriptors import stamp_of
from tasks.jobs.files.disk_reserve import WRITE_BYTES, open_with_reserve
from tasks.jobs.files.naming import Compression, Format, named_format
from telemetry.errors import ModelError
from workers.jobs.tables.csv.header import own_header
from workers.jobs.tables.json_values import cast, common_schemas
from workers.jobs.tables.output.encoding import convert_misfits, encode_part
from workers.jobs.tables.replacing import OpenOutput, clear_leftovers, open_to_replace
from workers.jobs.tables.spans import BadRow

_GROUP_ROWS = 2**17
_GROUP_BYTES = 2**26
"""A row group of the output ends above either bound."""


def write_part(path: Path, format: Format, table: pa.Table, spare: int) -> None:
    """Write a part, complete or not at all; raises `OutputUnwritable` and the errors of `write`."""
    with open_to_replace(path, spare) as file:
        encode_part(table, format, file)


def write_errors(path: Path, bad: Iterable[BadRow], spare: int) -> None:
    """Write a part of the errors file; the parts are assembled as NDJSON."""
    with open_to_replace(path, spare) as file:
        file.write(msgspec.json.Encoder().encode_lines(bad))


def assemble(
    parts: Sequence[Path],
    target: Path,
    format: Format,
    spare: int,
    taking: OpenOutput = open_to_replace,
) -> str:
    """Assemble all parts to one file, complete or not at all, in bounded memory.

    CSV and NDJSON are compressed if the name says so. ``taking`` moves the file into place.
    Returns the fingerprint (`stamp_of`) from before that, since others may change it afterwards.

    Raises `OutputUnwritable`, and `ModelError` if parts differ in their columns.
    """
    clear_leftovers(target)
    with taking(target, spare) as file:
        if format == "parquet":
            _write_parquet(parts, file)
        else:
            _, compression = named_format(target.name)
            with _packed(file, compression, spare) as packed:
                _append(parts, packed, with_header=format == "csv")
        file.flush()
        os.fsync(file.fileno())  # a network file system may set the modification time only now
        return stamp_of(os.fstat(file.fileno()))


@contextmanager
def _packed(file: IO[bytes], compression: Compression | None, spare: int) -> Iterator[IO[bytes]]:
    if compression is None:
        yield file
        return
    own = open_with_reserve(
        os.dup(file.fileno()), "wb", spare
    )  # pyarrow closes the file that it gets
    with pa.output_stream(own, compression=compression) as packed:
        yield packed


def _append(parts: Sequence[Path], file: IO[bytes], *, with_header: bool) -> None:
    """Copy the parts; their headers are all equal, and only the first is copied."""
    header = own_header(parts[0]) if with_header else b""
    file.write(header)
    for part in parts:
        with part.open("rb") as content:
            # A part has the columns of the answers to its own rows; a model that answers in other
            # shapes for other rows shows here.
            if content.read(len(header)) != header:
                raise ModelError("the model did not give the same columns for all rows")
            shutil.copyfileobj(content, file, WRITE_BYTES)


def _write_parquet(parts: Sequence[Path], file: IO[bytes]) -> None:
    schema = _common_schema(parts)
    # Dictionary encoding of floats is slow, and given up in the end.
    coded = [field.name for field in schema if not pa.types.is_floating(field.type)]
    with convert_misfits("parquet"), pq.ParquetWriter(file, schema, use_dictionary=coded) as writer:
        # Parts are chunks, much smaller than a row group should be.
        for table in _groups(_tables(parts, schema)):
            writer.write_table(table, row_group_size=table.num_rows or None)


def _common_schema(parts: Sequence[Path]) -> pa.Schema:
    """The schema that all parts fit; columns of a part without answers have Arrow's null type."""
    schemas = common_schemas([_schema(part) for part in parts])
    if any(schema.names != schemas[0].names for schema in schemas):
        raise ModelError("the model did not give the same columns for all rows")
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    columns = zip(*schemas, strict=True)  # a column of incompatible types becomes text
    return pa.schema([_common_field(fields) for fields in columns])


def _common_field(fields: Sequence[pa.Field]) -> pa.Field:
    try:
        schemas = [pa.schema([field]) for field in fields]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.field(fields[0].name, pa.string())


def _schema(part: Path) -> pa.Schema:
    with part.open("rb") as file, pa.ipc.open_file(file) as reader:
        return reader.schema


def _tables(parts: Iterable[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    for part in parts:
        with part.open("rb") as file, pa.ipc.open_file(file) as reader:
            yield cast(reader.read_all(), schema)


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables to the size of a row group."""
    gathered: list[pa.Table] = []
    for table in tables:
        gathered.append(table)
        rows, size = sum(t.num_rows for t in gathered), sum(t.nbytes for t in gathered)
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.concat_tables(gathered)
            gathered = []
    if gathered:
        yield pa.concat_tables(gathered)
