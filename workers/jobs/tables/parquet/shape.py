"""Facts from the metadata of a Parquet file: its row groups, row sizes and column types."""

from collections.abc import Callable, Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from registry.diagnosis import MAX_DETAILS
from registry.manifest import Column, Signature
from registry.values import expected
from telemetry.errors import Detail, InvalidInput
from workers.jobs.tables.spans import MAX_SPAN

_NUMBER = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_STRING = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BOOLEAN = (pa.types.is_boolean,)
_DATE = (pa.types.is_date,)
_TIME = (pa.types.is_timestamp,)
_DURATION = (pa.types.is_duration,)
_MATCHES: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "number": _NUMBER,
    "string": _STRING,
    "boolean": _BOOLEAN,
    "category": _NUMBER + _STRING + _BOOLEAN,
    "datetime": _TIME + _DATE + _STRING,
    "duration": _DURATION + _STRING,
    "date": _DATE + _TIME + _STRING,
    "decimal": _NUMBER + _STRING,
    "any": _NUMBER + _STRING + _BOOLEAN + _DATE + _TIME + _DURATION,
}


def group_borders(metadata: pq.FileMetaData) -> list[int]:
    """First rows of the row groups, followed by the number of rows."""
    groups = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return [0, *accumulate(groups)]


def max_span_rows(metadata: pq.FileMetaData, columns: Sequence[str], seen: float) -> int:
    """Most rows of a span, from the size of these columns in memory.

    Columns are encoded in the file, so ``seen``, the bytes per row of the first rows, counts as
    well. The row group with the largest rows decides.
    """
    names = set(columns)
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    # At least 8 bytes a value: the file may have less, as it is encoded.
    row = max(*(_row_size(group, names) for group in groups), seen, 8 * len(names))
    return max(int(MAX_SPAN / row), 1)


def _row_size(group: pq.RowGroupMetaData, columns: set[str]) -> float:
    found = map(group.column, range(group.num_columns))
    sizes = (c.total_uncompressed_size for c in found if _belongs(c.path_in_schema, columns))
    return float(sum(sizes) / max(group.num_rows, 1))


def _belongs(path: str, columns: set[str]) -> bool:
    """Whether a Parquet path is one of the columns or nested in one."""
    return any(name in columns for name in accumulate(path.split("."), "{}.{}".format))


def check_types(signature: Signature, fields: list[pa.Field | None]) -> None:
    """Raise `InvalidInput` if a column has a type that the model does not take."""
    details = [
        Detail(
            (field.name,), f"column {field.name!r}: expected {expected(column)}, got {field.type}"
        )
        for column, field in zip(signature.columns, fields, strict=True)
        if field is not None and not _takes(column, field.type)
    ]
    if details:
        raise InvalidInput(details[0].msg, errors=details[:MAX_DETAILS])


def _takes(column: Column, kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if column.unused or pa.types.is_null(kind):
        return True
    if column.type == "number" and not column.dtype and pa.types.is_boolean(kind):
        return True
    return any(matches(kind) for matches in _MATCHES[column.type])
