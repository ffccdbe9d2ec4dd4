"""What people write to score a file, without any queue: the best of these is the mark to reach."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 2**20
"""Rows of a row group, where nobody says how many."""


class Script(msgspec.Struct, frozen=True):
    """One way to do it: chunks of so many rows, by so many threads of one process."""

    rows: int
    threads: int

    def __str__(self) -> str:
        """As it is called in tables."""
        return f"script, {self.rows:,} rows a chunk, {self.threads} thread(s)"

    def run(self, model: Path, source: Path, target: Path) -> float:
        """Score Parquet to Parquet; the seconds that it took, but for imports and the model."""
        predict = partial(_predictions, joblib.load(model))
        started = time.perf_counter()
        batches = pq.ParquetFile(source).iter_batches(self.rows)
        if self.threads == 1:
            _write(target, map(predict, batches))
        else:
            with ThreadPoolExecutor(self.threads) as threads:
                _write(target, threads.map(predict, batches))
        return time.perf_counter() - started


SCRIPTS = Script(10_000, 1), Script(50_000, 1), Script(50_000, 2)


def _predictions(model: Any, batch: pa.RecordBatch) -> pa.Table:
    features = np.column_stack([column.to_numpy() for column in batch.columns])
    return pa.table({"prediction": model.predict(features)})


def _write(target: Path, tables: Iterable[pa.Table]) -> None:
    writer: pq.ParquetWriter | None = None
    for table in tables:
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def make_rows(path: Path, rows: int, columns: int) -> Path:
    """A Parquet file of random numbers, as pandas would write it."""
    random = np.random.default_rng(0)
    schema = pa.schema([(f"x{place}", pa.float64()) for place in range(columns)])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, GROUP):
            values = random.normal(size=(columns, min(GROUP, rows - first)))
            writer.write_table(pa.table([*values], schema=schema))
    return path
