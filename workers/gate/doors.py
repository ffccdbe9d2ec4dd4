"""Takes a sample through each door, up to the model's input: JSON, Arrow, and formats of files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from registry.manifest import Column, Signature
from registry.rows import validation
from tasks.arrow.stream import MAX_ARROW_VALUES
from tasks.jobs.files.naming import Format
from tasks.wire import decode, encode
from telemetry.errors import InvalidFeatures
from workers.jobs.tables.matching import Selection
from workers.jobs.tables.sources import open_source
from workers.jobs.tables.spans import Source
from workers.models.signature.wire import wire_rows
from workers.models.tabular.arrow_rows import arrow_features
from workers.models.tabular.table import Table

FORMATS: tuple[Format, ...] = ("csv", "ndjson", "parquet")
DOORS = ("json", "arrow", *FORMATS)
_SPAN_ROWS = 1000


class DoorResult(msgspec.Struct, frozen=True):
    """The result of taking a sample through a door."""

    tables: list[tuple[Table, list[int]]]
    """Tables of accepted rows, each with the rows' positions in the sample, from 0."""
    refused: dict[int, str]
    """Position of a refused row → error message."""


def through_door(door: str, signature: Signature, frame: pd.DataFrame) -> DoorResult:
    """Take a frame of the model's columns through one of `DOORS`.

    Raises `PredictqError` if the door refuses the sample as a whole.
    """
    if door == "json":
        return _by_json(signature, frame)
    return _by_arrow(signature, frame) if door == "arrow" else _by_file(door, signature, frame)


def write_sample(frame: pd.DataFrame, signature: Signature, path: Path) -> bool:
    """Write a frame to a file as a caller would, in the format of the path's suffix.

    Returns False if the format cannot express the values: a Parquet column holds only one type.
    """
    frame = _needed(frame, signature)
    try:
        _WRITERS[path.suffix](frame, signature, path)
    except pa.ArrowException:
        return False
    return True


def read_source(source: Source) -> DoorResult:
    """Read all rows of a file source."""
    tables, refused, before = [], dict[int, str](), 0
    for span in source.spans(_SPAN_ROWS):
        block = source.read(span)
        good = [before + int(index) for index in block.good]
        if good:
            tables.append((block.features, good))
        missing = sorted(set(range(before, before + block.rows)) - set(good))
        bad = sorted(block.bad, key=lambda row: row.line)
        refused |= {index: row.message for index, row in zip(missing, bad, strict=True)}
        before += block.rows
    return DoorResult(tables, refused)


def json_rows(signature: Signature, frame: pd.DataFrame) -> list[Any]:
    """The rows as JSON values: objects if the model has column names, else lists."""
    rows = wire_rows(frame, signature.columns)
    if not signature.named:
        return rows
    names = [column.name for column in signature.columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _by_json(signature: Signature, frame: pd.DataFrame) -> DoorResult:
    features = decode(encode(json_rows(signature, frame)))
    good, rows, refused = list[int](), list[list[Any]](), dict[int, str]()
    for index, row in enumerate(features):
        try:
            rows += validation.rows(signature, [row])
            good.append(index)
        except InvalidFeatures as error:
            refused[index] = error.message.removeprefix("row 1, ").removeprefix("row 1: ")
    return DoorResult([(Table.of(signature, rows), good)] if rows else [], refused)


def _by_arrow(signature: Signature, frame: pd.DataFrame) -> DoorResult:
    try:
        rows = pa.Table.from_pandas(_needed(frame, signature), preserve_index=False)
    except pa.ArrowException:  # as in Parquet, a column holds only one type
        return DoorResult([], {})
    tables, refused = list[tuple[Table, list[int]]](), dict[int, str]()
    step = max(min(_SPAN_ROWS, MAX_ARROW_VALUES // max(rows.num_columns, 1)), 1)
    for start in range(0, len(frame), step):
        found = arrow_features(signature, _stream(rows.slice(start, step)))
        if len(found.good):
            tables.append((found.input, [start + int(index) for index in found.good]))
        refused |= {start + row: told for row, told in sorted(found.faults.items())}
    return DoorResult(tables, refused)


def _stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _needed(frame: pd.DataFrame, signature: Signature) -> pd.DataFrame:
    needed = [c.name for c in signature.columns if not c.unused]
    return frame[needed] if signature.named else frame


def _by_file(format: str, signature: Signature, frame: pd.DataFrame) -> DoorResult:
    with TemporaryDirectory() as directory:
        path = Path(directory) / f"sample.{format}"
        if not write_sample(frame, signature, path):
            return DoorResult([], {})
        source = open_source(str(path), format, Selection(signature))  # type: ignore[arg-type]  # one of FORMATS
        try:
            return read_source(source)
        finally:
            source.close()


def _write_csv(frame: pd.DataFrame, signature: Signature, path: Path) -> None:
    written = [c for c in signature.columns if not (c.unused and signature.named)]
    for index, column in enumerate(written):
        series, nothing = frame.iloc[:, index], _nothing(column)
        if nothing and series.isna().any():
            found = series.astype(object).where(series.notna(), nothing)
            frame = frame.assign(**{frame.columns[index]: found})
    frame.to_csv(path, index=False)


def _nothing(column: Column) -> str:
    """A CSV text for a missing value that is not itself a value of the column."""
    words = {*column.words, *map(str, column.categories or ())}
    return next((word for word in ("", "NA", "NaN", "null") if word not in words), "")


def _write_ndjson(frame: pd.DataFrame, signature: Signature, path: Path) -> None:
    rows = json_rows(signature, frame.reindex(columns=[c.name for c in signature.columns]))
    path.write_bytes(b"".join(encode(row) + b"\n" for row in rows))


def _write_parquet(frame: pd.DataFrame, _: Signature, path: Path) -> None:
    frame.to_parquet(path, index=False)


_WRITERS = {".csv": _write_csv, ".ndjson": _write_ndjson, ".parquet": _write_parquet}
