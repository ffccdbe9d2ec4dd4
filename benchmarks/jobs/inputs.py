"""Input files of random numbers, synced to disk before the measurement."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.harness.models import FEATURES

GROUP = 2**20
"""Default rows per row group."""
SCHEMA = pa.schema([(f"x{index}", pa.float64()) for index in range(FEATURES)])


def make_parquet(path: Path, rows: int) -> Path:
    """Write a Parquet file like pandas."""
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for table in _tables(rows):
            writer.write_table(table)
    return _synced(path)


def make_csv(path: Path, rows: int) -> Path:
    """Write a CSV file with a header."""
    with pa.csv.CSVWriter(path, SCHEMA) as writer:
        for table in _tables(rows):
            writer.write_table(table)
    return _synced(path)


def make_ndjson(path: Path, rows: int) -> Path:
    """Write an NDJSON file of objects."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for table in _tables(rows):
            for batch in table.to_batches(10_000):
                file.write(encoder.encode_lines(batch.to_pylist()))
    return _synced(path)


MAKERS = {"csv": make_csv, "ndjson": make_ndjson}


def _synced(path: Path) -> Path:
    """Sync the file now, not during the measurement."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path


def _tables(rows: int) -> Iterator[pa.Table]:
    random = np.random.default_rng(0)
    for first in range(0, rows, GROUP):
        values = random.normal(size=(FEATURES, min(GROUP, rows - first)))
        yield pa.table([*values], schema=SCHEMA)
