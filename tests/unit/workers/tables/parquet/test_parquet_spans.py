"""The size of the spans of a Parquet file, and how often its rows are decoded."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.manifest import Column, Signature
from telemetry.errors import InvalidInput
from tests.unit.workers.tables.parquet.parquet_files import AB, table_of, written
from tests.unit.workers.tables.sources import (
    numbers,
    source_of,
)
from workers.jobs.tables.parquet import shape as parquet_shape
from workers.jobs.tables.parquet.stream import ParquetStream
from workers.jobs.tables.spans import MAX_SPAN


def test_spans_may_be_read_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, table_of(100_000), 60_000)
    source = source_of(path, "parquet", AB)
    spans = list(source.spans(9000))
    for span in [*reversed(spans), *spans]:
        assert source.read(span).features.whole()[:, 0].tolist() == list(
            range(span.start, span.stop)
        )


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of rows decoded at a time."""
    decoded: list[int] = []
    original = pq.ParquetFile.iter_batches

    def counted(*arguments: Any, **more: Any) -> Iterator[pa.RecordBatch]:
        for batch in original(*arguments, **more):
            decoded.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    return decoded


def test_spans_that_are_read_in_order_decode_each_row_once(
    tmp_path: Path, decoded: list[int]
) -> None:
    source = source_of(written(tmp_path, table_of(100_000), 60_000), "parquet", AB)
    spans = list(source.spans(9000))
    for span in spans[::2]:  # other processes read the other spans
        source.read(span)
    assert sum(decoded) <= 100_000
    source.read(spans[0])
    assert sum(decoded) <= 109_000


def test_decoder_of_a_small_span_is_not_reused_for_a_large_one(
    tmp_path: Path, decoded: list[int]
) -> None:
    source = source_of(written(tmp_path, table_of(100_000), 100_000), "parquet", AB)
    source.read(next(source.spans(10)))
    second = list(source.spans(50_000))[1]
    assert source.read(second).features.whole()[:, 0].tolist() == list(range(50_000, 100_000))
    assert decoded == [10, 50_000, 50_000]


def test_span_ends_with_its_row_group_where_that_is_near(tmp_path: Path) -> None:
    source = source_of(str(written(tmp_path, table_of(1000), 110)), "parquet", AB)
    assert {span.start % 110 for span in source.spans(100)} == {0}


def test_span_of_wide_rows_is_short(tmp_path: Path) -> None:
    names = [f"c{index}" for index in range(1000)]
    table = pa.table({name: np.ones(20_000) for name in names})
    source = source_of(str(written(tmp_path, table, 20_000)), "parquet", numbers(*names))
    spans = list(source.spans(10**6))
    assert sum(span.rows for span in spans) == 20_000
    assert max(span.rows for span in spans) <= 1.25 * MAX_SPAN / 8000


def test_span_is_short_where_rows_are_small_only_when_compressed(tmp_path: Path) -> None:
    table = pa.table({"a": np.zeros(20_000), "note": ["x" * 4096] * 20_000})
    path = written(tmp_path, table, 20_000)
    del table
    assert path.stat().st_size < MAX_SPAN / 100
    source = source_of(path, "parquet", numbers("a"), pass_through=True)
    first, *_ = source.spans(10**6)
    assert first.rows <= MAX_SPAN / 4096
    before = pa.total_allocated_bytes()
    block = source.read(first)
    assert block.carried is not None
    assert pa.total_allocated_bytes() - before < 2 * MAX_SPAN


def test_span_is_short_where_the_first_rows_alone_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_shape, "MAX_SPAN", 2**20)
    octets = np.random.default_rng(0).bytes(2**21)
    texts = [""] * 1000 + [octets[2048 * index :][:2048].hex() for index in range(1000)]
    path = written(tmp_path, pa.table({"a": np.zeros(2000), "the.note": texts}), 2000)
    source = source_of(path, "parquet", numbers("a"), pass_through=True)
    assert max(span.rows for span in source.spans(10**6)) <= 1.25 * 2**20 / 2048


@pytest.mark.parametrize("small", [0, 2000], ids=["from the first row on", "behind small ones"])
def test_decompression_bomb_is_refused(tmp_path: Path, small: int) -> None:
    path, indices = tmp_path / "bomb.parquet", np.ones(20_000, np.int32)
    indices[:small] = 0
    texts = pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(["y", "x" * 2**20]))
    pq.write_table(pa.table({"a": texts}), path, compression="zstd", write_statistics=False)
    assert path.stat().st_size < 1000
    signature = Signature((Column("a", "string"),), True, False, ("predict",))
    source = source_of(path, "parquet", signature)
    with pytest.raises(InvalidInput, match="more than 1024 MiB once they are decoded"):
        _ = [source.read(span) for span in source.spans(1_000_000)]


def test_spans_are_as_short_as_the_largest_rows_of_any_group_demand(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    schema = pa.schema([("a", pa.string())])
    with pq.ParquetWriter(path, schema, use_dictionary=False, compression=None) as writer:
        for size in (1, 2**16):
            writer.write_table(pa.table({"a": ["x" * size] * 2000}, schema))
    signature = Signature((Column("a", "string"),), True, False, ("predict",))
    spans = [*source_of(path, "parquet", signature).spans(1_000_000)]
    assert max(span.rows for span in spans) * 2**16 <= 1.5 * MAX_SPAN


def test_file_with_fewer_rows_than_its_metadata_counts_is_refused() -> None:
    file: Any = SimpleNamespace(iter_batches=lambda *_, **__: iter(()))
    stream = ParquetStream(file, ["a"], [0, 2])
    with pytest.raises(InvalidInput, match="ends after row 0 of 2"):
        stream.first(10)
    with pytest.raises(InvalidInput, match="ends after row 0 of 2"):
        stream.rows(0, 2)
