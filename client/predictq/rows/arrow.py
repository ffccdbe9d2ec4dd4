"""Data frames to Arrow streams and back, where pyarrow is installed."""

import importlib
import json
from typing import Any, TypeVar

from predictq.errors import PredictqError, refused
from predictq.rows.arrays import has_attributes
from predictq.rows.frames import is_frame, is_pandas

ARROW = "application/vnd.apache.arrow.stream"
MIN_ROWS = 100
"""Shorter frames are sent as JSON: many requests of few rows share calls of the model, and a
request in Arrow has a call of its own."""
METADATA = b"predictq"
"""Key in a schema under which the server says what it did."""
_PLAIN = (
    *("is_null", "is_boolean", "is_integer", "is_floating", "is_decimal"),
    *("is_string", "is_large_string", "is_date", "is_timestamp", "is_duration"),
)
"""Types whose values mean the same in JSON and in Arrow."""
F = TypeVar("F")


def to_stream(rows: Any) -> bytes | None:
    """A data frame as an Arrow stream; None if it has to be sent as JSON.

    That is what is no data frame, few rows, column names that are not text or not unique, types
    that Arrow lacks or has of its own, and everything if pyarrow is not installed.
    """
    if not is_frame(rows) or len(rows) < MIN_ROWS or not _are_names(rows):
        return None
    try:
        arrow = importlib.import_module("pyarrow")
    except ImportError:
        return None
    try:
        table = _table(arrow, rows)
    except (arrow.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return _written(arrow, table) if all(map(_is_plain, table.schema)) else None


def from_stream(content: bytes, frame: F) -> F:
    """An answer in Arrow as a data frame of the same library; one of pandas has the same index."""
    table = _arrow().ipc.open_stream(content).read_all()
    found: F = _of_kind(frame, table)
    return found


def check_frame(frame: Any) -> None:
    """Raise a `PredictqError` unless a frame can be answered by a frame."""
    if not is_frame(frame):
        kind = type(frame).__name__
        raise refused(f"expected a data frame of pandas or polars, or an Arrow table, got {kind}")
    _arrow()


def _of_kind(frame: Any, table: Any) -> Any:
    if is_pandas(frame):
        answer = table.to_pandas().set_axis(frame.index)
        answer.attrs[METADATA.decode()] = json.loads(table.schema.metadata[METADATA])
        return answer
    if not has_attributes(frame, "column_names"):
        return importlib.import_module("polars").from_arrow(table)
    return table if has_attributes(frame, "to_batches") else table.to_batches()[0]


def _arrow() -> Any:
    try:
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise PredictqError("a data frame as an answer needs pyarrow; install it") from error


def _are_names(frame: Any) -> bool:
    names = list(frame.column_names if has_attributes(frame, "column_names") else frame.columns)
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _table(arrow: Any, frame: Any) -> Any:
    if is_pandas(frame):
        return arrow.Table.from_pandas(frame, preserve_index=False)
    return frame.to_arrow() if has_attributes(frame, "to_arrow") else frame


def _is_plain(field: Any) -> bool:
    types = importlib.import_module("pyarrow.types")
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    return any(getattr(types, check)(kind) for check in _PLAIN)


def _written(arrow: Any, table: Any) -> bytes:
    if has_attributes(table, "unify_dictionaries"):
        # Otherwise each piece would be a batch of its own.
        table = table.unify_dictionaries().combine_chunks()
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write(table.replace_schema_metadata(None))
    content: bytes = sink.getvalue().to_pybytes()
    return content
