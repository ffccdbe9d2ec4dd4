"""Parquet files to read, and a model of their columns."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.workers.tables.sources import (
    numbers,
)

AB = numbers("a", "b", dtype="float64")


def written(directory: Path, table: pa.Table, group: int = 1000) -> Path:
    path = directory / "rows.parquet"
    pq.write_table(table, path, row_group_size=group)
    return path


def table_of(rows: int) -> pa.Table:
    return pa.table({"b": np.arange(rows) / 7, "more": ["x"] * rows, "a": np.arange(rows)})
