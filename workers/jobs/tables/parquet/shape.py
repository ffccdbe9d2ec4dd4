"""Facts from the metadata of a Parquet file: its row groups, row sizes and column types."""

from collections.abc import Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from registry.manifest import Signature
from telemetry.errors import InvalidInput
from workers.jobs.tables.spans import MAX_SPAN
from workers.models.tabular.arrow_types import type_faults


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
    if details := type_faults(signature, fields):
        raise InvalidInput(details[0].msg, errors=details)
