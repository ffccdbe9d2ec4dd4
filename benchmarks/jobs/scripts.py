"""Baselines: scripts that score a file without a queue. Jobs are compared with the best one."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.harness.models import FEATURES

Features = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Read = Callable[[Path, int], Iterator[Any]]
"""Yields slices of a file, of about so many rows."""
Write = Callable[[Path, Iterable[Any]], None]
LINE = 400
"""Approximate bytes of a row of twenty numbers as text."""


class Script(msgspec.Struct, frozen=True):
    """A script: slices of so many rows, scored by so many threads of one process."""

    read: Read
    features: Callable[[Any], Features]
    write: Write
    rows: int
    threads: int

    def __call__(self, model: Path, source: Path, target: Path) -> float:
        """Score a file; returns the seconds without imports and loading the model."""
        score = partial(self._scored, joblib.load(model))
        started = time.perf_counter()
        slices = self.read(source, self.rows)
        if self.threads == 1:
            self.write(target, map(score, slices))
        else:
            with ThreadPoolExecutor(self.threads) as threads:
                self.write(target, _ahead(threads, score, slices, 2 * self.threads))
        return time.perf_counter() - started

    def _scored(self, model: Any, part: Any) -> Any:
        return model.predict(self.features(part))


def _ahead(
    threads: ThreadPoolExecutor, score: Callable[[Any], Any], slices: Iterator[Any], most: int
) -> Iterator[Any]:
    """Map in order, with a limited number of slices in memory."""
    waiting = []
    for part in slices:
        waiting.append(threads.submit(score, part))
        if len(waiting) >= most:
            yield waiting.pop(0).result()
    for each in waiting:
        yield each.result()


def _read_parquet(source: Path, rows: int) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(source).iter_batches(rows)


def _read_csv(source: Path, rows: int) -> Iterator[pa.RecordBatch]:
    options = pa.csv.ReadOptions(block_size=rows * LINE)
    yield from pa.csv.open_csv(source, options)


def _read_ndjson(source: Path, rows: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        while lines := file.readlines(rows * LINE):
            yield b"".join(lines)


def _columns(batch: pa.RecordBatch) -> Features:
    return np.column_stack([column.to_numpy() for column in batch.columns])


def _objects(columns: int) -> Callable[[bytes], Features]:
    row = msgspec.defstruct("Row", [(f"x{index}", float) for index in range(columns)], gc=False)
    decoder = msgspec.json.Decoder(row)

    def features(data: bytes) -> Features:
        return np.array([*map(msgspec.structs.astuple, decoder.decode_lines(data))])

    return features


def _write_parquet(target: Path, answers: Iterable[Any]) -> None:
    schema = pa.schema([("prediction", pa.int64())])
    with pq.ParquetWriter(target, schema) as writer:
        for answer in answers:
            writer.write_table(pa.table([answer], schema=schema))


def _write_csv(target: Path, answers: Iterable[Any]) -> None:
    schema = pa.schema([("prediction", pa.int64())])
    with pa.csv.CSVWriter(target, schema) as writer:
        for answer in answers:
            writer.write_table(pa.table([answer], schema=schema))


def _write_ndjson(target: Path, answers: Iterable[Any]) -> None:
    encoder = msgspec.json.Encoder()
    with target.open("wb") as file:
        for answer in answers:
            file.write(encoder.encode_lines([{"prediction": each} for each in answer.tolist()]))


def _each(read: Read, features: Callable[[Any], Features], write: Write) -> dict[str, Script]:
    return {
        f"script, {rows:,} rows a slice, {threads} thread(s)": Script(
            read, features, write, rows, threads
        )
        for rows, threads in ((10_000, 1), (50_000, 1), (50_000, 2))
    }


PARQUET = _each(_read_parquet, _columns, _write_parquet)
TEXTS = {
    "csv": _each(_read_csv, _columns, _write_csv),
    "ndjson": _each(_read_ndjson, _objects(FEATURES), _write_ndjson),
}
